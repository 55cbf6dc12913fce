package host

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// readQR runs the page's own encoder for each text, with each of the eight
// masks and with the one it chooses, as rows of 0 and 1.
func readQR(t *testing.T, texts []string) [][]string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("TUBER_REQUIRE") == "all" {
			t.Fatal("node is missing; install nodejs")
		}
		t.Skip("node is missing; install nodejs to check the QR encoder")
	}
	script, err := filepath.Abs("assets/qr.js")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	body, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "qr.mjs"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	run := `import { matrix } from "./qr.mjs";
const text = (rows) => rows.map((r) => Array.from(r).join("")).join("\n");
const all = JSON.parse(process.argv[2]).map((t) =>
  [0, 1, 2, 3, 4, 5, 6, 7, undefined].map((m) => text(matrix(t, m))));
console.log(JSON.stringify(all));`
	if err := os.WriteFile(filepath.Join(dir, "run.mjs"), []byte(run), 0o600); err != nil {
		t.Fatal(err)
	}
	arg, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, filepath.Join(dir, "run.mjs"), string(arg))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// The encoder of the pages must draw what another encoder draws, module for
// module: which mask is best is a matter of taste, so any of the eight will do.
func TestQRAgreesWithAnotherEncoder(t *testing.T) {
	texts := []string{"https://a.example/.tuber/join#x"}
	for n := 1; n <= 660; n += 47 { // versions 1 to 20
		texts = append(texts, strings.Repeat("tuber://~aZ", 61)[:n])
	}
	for i, pictures := range readQR(t, texts) {
		code, err := qr.Encode(texts[i], qr.M, qr.Unicode)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for y := range code.Bounds().Dy() {
			if y > 0 {
				want.WriteByte('\n')
			}
			for x := range code.Bounds().Dx() {
				bit := byte('0')
				if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
					bit = '1'
				}
				want.WriteByte(bit)
			}
		}
		if !slices.Contains(pictures[:8], want.String()) {
			t.Errorf("%d bytes: none of the eight pictures is the other encoder's", len(texts[i]))
		}
		if !slices.Contains(pictures[:8], pictures[8]) {
			t.Errorf("%d bytes: the chosen picture is none of the eight", len(texts[i]))
		}
	}
}

// The pages keep the viewer's choices where the page peer looks for them.
func TestPagesAndPagePeerAgreeOnKeys(t *testing.T) {
	for _, c := range []struct{ ours, theirs, key string }{
		{"assets/privacy.js", "../web/src/page/means.ts", `"tuber.relay"`},
		{"assets/off.js", "../web/src/page/main.ts", `"tuber.off"`},
	} {
		for _, name := range []string{c.ours, c.theirs} {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(body), c.key) {
				t.Errorf("%s does not use %s", name, c.key)
			}
		}
	}
}
