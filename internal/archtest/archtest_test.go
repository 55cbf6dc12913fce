// Package archtest holds the house to its import rules: arrows point at the
// vocabulary, roles never meet, and one third party lives in one folder.
package archtest

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tubercdn/tuber"

// mayImport says which of our own packages each folder may import. "web" and
// "icons" only embed: everybody may import them.
var mayImport = map[string][]string{
	"":                   {},
	"wire":               {""},
	"store":              {""},
	"hls":                {""},
	"gateway":            {""},
	"control":            {"", "wire"},
	"peer":               {"", "wire", "control", "internal/beat"},
	"planner":            {"", "wire", "control"},
	"origin":             {"", "wire", "hls"},
	"web":                {""},
	"web/bundle":         {"web/bundle/bundler"},
	"web/bundle/bundler": {},
	"scripts/called":     {},
	"icons":              {},
	"icons/render":       {},
	"app":                {"", "icons"},
	"booster":            {"", "wire", "control", "peer", "store", "gateway", "internal/admin", "internal/beat", "internal/machine"},
	"host":               {"", "wire", "control", "peer", "store", "gateway", "origin", "planner", "internal/admin", "internal/beat"},
	"internal/demo":      {"", "booster", "host", "internal/config"},
	"internal/watch":     {"", "wire", "control", "peer", "store", "hls", "gateway"},
	"internal/admin":     {},
	"internal/beat":      {},
	"internal/desk":      {"", "internal/admin", "internal/machine", "internal/release"},
	"internal/logs":      {""},
	"internal/machine":   {""},
	"internal/apptest":   {},
	"internal/config":    {""},
	"internal/release":   {},
	"internal/tally":     {},
	"internal/mutants":   {},
	"internal/archtest":  {},
	"packaging/sign":     {"internal/release"},
	"packaging/manual":   {"internal/config"},
	"packaging/licences": {},
	"packaging/tests":    {},
}

// livesIn says where each third party may be imported; tests and bench are exempt.
var livesIn = map[string][]string{
	"go.etcd.io/bbolt":                    {"store"},
	"github.com/coder/websocket":          {"control"},
	"github.com/pion/webrtc/v3":           {"peer"},
	"github.com/pion/ice/v2":              {"peer"},
	"github.com/pion/sctp":                {"peer"},
	"github.com/pion/datachannel":         {"peer"},
	"github.com/pion/dtls/v2":             {"peer"},
	"github.com/pion/logging":             {"peer"},
	"github.com/pion/transport/v2":        {"peer"},
	"github.com/pion/stun":                {"gateway"},
	"github.com/huin/goupnp":              {"gateway"},
	"github.com/jackpal/go-nat-pmp":       {"gateway"},
	"github.com/caddyserver/certmagic":    {"host"},
	"github.com/prometheus/client_golang": {"host"},
	"github.com/boombuler/barcode":        {"host", "app"},
	"github.com/alecthomas/kong":          {"internal/config"},
	"github.com/pelletier/go-toml/v2":     {"internal/config"},
	"github.com/adrg/xdg":                 {"internal/config"},
	"github.com/godbus/dbus/v5":           {"internal/machine", "internal/apptest"},
	"github.com/go-ole/go-ole":            {"internal/machine"},
	"github.com/evanw/esbuild":            {"web/bundle/bundler"},
	"github.com/gofrs/flock":              {"store", "internal/desk"},
	"github.com/Microsoft/go-winio":       {"internal/admin"},
	"golang.org/x/net":                    {"origin"},
	"golang.org/x/time":                   {"peer", "booster", "planner"},
	"golang.org/x/term":                   {"internal/demo", "cmd/tuber"},
	"golang.org/x/sys":                    {"store", "booster", "host", "gateway", "peer", "internal/demo", "internal/machine", "internal/desk", "cmd/tuber"},
	"fyne.io/fyne/v2":                     {"app"},
	"github.com/go-gl/glfw/v3.4/glfw":     {"app"},
	"github.com/fyne-io/oksvg":            {"icons/render"},
	"github.com/srwiley/rasterx":          {"icons/render"},
	"fyne.io/systray":                     {"app"},
}

type listed struct {
	ImportPath string
	Name       string
	Imports    []string
	Doc        string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Imports,Doc", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 5 {
		t.Fatalf("%d packages listed", len(all))
	}
	return all
}

// folder is a package's place below the module, "" for the vocabulary.
func folder(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

func TestArrowsPointAtTheVocabulary(t *testing.T) {
	for _, p := range packages(t) {
		at := folder(p.ImportPath)
		if strings.HasPrefix(at, "cmd/") || strings.HasPrefix(at, "bench") || at == "internal/swarmtest" {
			continue // cmd hands assemblies to each other; benches and stories see everything
		}
		allowed, ok := mayImport[at]
		if !ok {
			t.Errorf("folder %q has no import rule: add it here and to docs/ARCHITECTURE.md", at)
		}
		for _, imp := range p.Imports {
			if to := folder(imp); ours(imp) && to != "web" && to != "icons" && !slices.Contains(allowed, to) {
				t.Errorf("%q imports %q, which its place in the house does not allow", at, to)
			}
		}
	}
}

func TestOneThirdPartyOneFolder(t *testing.T) {
	for _, p := range packages(t) {
		at := folder(p.ImportPath)
		if strings.HasPrefix(at, "bench") || at == "internal/swarmtest" {
			continue
		}
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			if ours(imp) || !strings.Contains(first, ".") {
				continue
			}
			place := ""
			for party := range livesIn {
				if imp == party || strings.HasPrefix(imp, party+"/") {
					place = party
				}
			}
			if place == "" {
				t.Errorf("%q imports %s, which has no folder yet", at, imp)
			} else if !slices.Contains(livesIn[place], at) {
				t.Errorf("%q imports %s, which lives in %q", at, imp, livesIn[place])
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.Name != "main" && p.Doc == "" && folder(p.ImportPath) != "internal/archtest" {
			t.Errorf("%q has no package comment", folder(p.ImportPath))
		}
	}
}

// TestArchitectureNamesEveryFolder keeps the map in docs/ARCHITECTURE.md whole.
func TestArchitectureNamesEveryFolder(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages(t) {
		if at := folder(p.ImportPath); at != "" && !bytes.Contains(text, []byte("`"+at+"`")) {
			t.Errorf("docs/ARCHITECTURE.md does not name `%s`", at)
		}
	}
}

// TestWorkerAndPageMeetInThePort: in TypeScript sw/ and page/ never import each other.
func TestWorkerAndPageMeetInThePort(t *testing.T) {
	src := filepath.Join("..", "..", "web", "src")
	seen := 0
	for at, other := range map[string]string{"sw": "/page/", "page": "/sw/"} {
		err := filepath.WalkDir(filepath.Join(src, at), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen++
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, "from \"") && strings.Contains(line, other) {
					t.Errorf("%s: %s", path, line)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 4 {
		t.Errorf("only %d files looked at", seen)
	}
}

// TestNothingRestsWithFyne: what is kept lies in Tuber's own files, which it can
// mend, and never in Fyne's preferences.
func TestNothingRestsWithFyne(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "app", "*.go"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files of app, %v", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{".Preferences()", "fyne.Preferences", ".Storage()"} {
			if bytes.Contains(text, []byte(what)) {
				t.Errorf("%s uses %s", path, what)
			}
		}
	}
}
