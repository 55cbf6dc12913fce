//go:build packages

package tests

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const version = "9.8.7"

// dist is the release that TestMain built; key is its public key.
var dist, key, work string

// repository is where the tests are run from, seen from this package.
var repository, _ = filepath.Abs("../..")

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	var err error
	if work, err = os.MkdirTemp("", "tuber-packages-"); err != nil {
		panic(err)
	}
	if os.Getenv("TUBER_PACKAGES_KEEP") == "" {
		defer os.RemoveAll(work)
	} else {
		fmt.Println("kept:", work)
	}
	if err := os.Chmod(work, 0o755); err != nil { // apt reads packages as a user of its own
		panic(err)
	}
	secret := filepath.Join(work, "release.pem")
	if dist = os.Getenv("TUBER_PACKAGES_DIST"); dist != "" { // built before, with its key in it
		secret = filepath.Join(dist, "work", "release.pem")
	} else if err := build(secret); err != nil {
		fmt.Println(err)
		return 1
	}
	cmd := exec.Command("go", "run", "./packaging/sign", "public", secret)
	cmd.Dir = repository
	out, err := cmd.Output()
	if err != nil {
		fmt.Println("read the release's public key:", err)
		return 1
	}
	key = strings.TrimSpace(string(out))
	return m.Run()
}

func build(secret string) error {
	dist = filepath.Join(work, "dist")
	for _, step := range [][]string{
		{"openssl", "genpkey", "-algorithm", "ed25519", "-out", secret},
		{"make", "release", "VERSION=" + version, "KEY=" + secret, "DIST=" + dist},
	} {
		cmd := exec.Command(step[0], step[1:]...)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", step, err, out)
		}
	}
	return nil
}

// do runs a command that must succeed and gives what it printed.
func do(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// file is a file of the release.
func file(name string) string { return filepath.Join(dist, name) }

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// everything is the paths below dir with what they hold, without the folders
// that skip names.
func everything(t *testing.T, dir string, skip ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if slices.Contains(skip, rel) && d.IsDir() {
			return filepath.SkipDir
		}
		switch {
		case slices.Contains(skip, rel):
		case d.Type().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[rel] = fmt.Sprintf("%x", sha256.Sum256(b))
		default:
			all[rel] = d.Type().String()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameEverything reports each path by which two states of a folder differ.
func sameEverything(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	for path := range after {
		if _, ok := before[path]; !ok {
			t.Errorf("%s: %s is left over", what, path)
		} else if before[path] != after[path] {
			t.Errorf("%s: %s was changed", what, path)
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			t.Errorf("%s: %s is gone, which was there before", what, path)
		}
	}
}

func TestTheReleaseIsWholeAndSigned(t *testing.T) {
	want := []string{
		"SHA256SUMS", "SHA256SUMS.sig", "Tuber-9.8.7-setup.exe",
		"tuber-9.8.7-1.aarch64.rpm", "tuber-9.8.7-1.x86_64.rpm", "tuber-app-9.8.7-1.x86_64.rpm",
		"tuber-9.8.7-darwin-amd64.tar.xz", "tuber-9.8.7-darwin-arm64.tar.xz",
		"tuber-9.8.7-linux-amd64.tar.xz", "tuber-9.8.7-linux-arm64.tar.xz",
		"tuber-9.8.7-windows-amd64.zip", "tuber-9.8.7-windows-arm64.zip",
		"tuber-app_9.8.7_amd64.deb", "tuber_9.8.7_amd64.deb", "tuber_9.8.7_arm64.deb",
	}
	var got []string
	entries, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			got = append(got, e.Name())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the release holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	sums := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	sums.Dir = dist
	do(t, sums)
	if lines := strings.Count(do(t, exec.Command("cat", file("SHA256SUMS"))), "\n"); lines != len(want)-2 {
		t.Errorf("SHA256SUMS has %d lines, want one for each of %d files", lines, len(want)-2)
	}
	verify := func(dir string) error {
		cmd := exec.Command("go", "run", "./packaging/sign", "verify", key, dir)
		cmd.Dir = repository
		return cmd.Run()
	}
	if err := verify(dist); err != nil {
		t.Errorf("the release does not verify: %v", err)
	}
	bad := t.TempDir()
	do(t, exec.Command("cp", "-r", dist+"/.", bad))
	put(t, filepath.Join(bad, "tuber_9.8.7_amd64.deb"), "another package")
	if verify(bad) == nil {
		t.Error("a release with a changed package verifies")
	}
}

// TestTheSameAgainGivesTheSameBytes builds once more, into another folder.
func TestTheSameAgainGivesTheSameBytes(t *testing.T) {
	again := filepath.Join(work, "again")
	builds := exec.Command("sh", "-c", `packaging/windows/build.sh & windows=$!
packaging/linux/build.sh && packaging/headless.sh; others=$?
wait $windows && exit $others`)
	builds.Dir = repository
	builds.Env = append(os.Environ(), "VERSION="+version, "RELEASE_KEY="+key, "DIST="+again, "CERT=", "KEY=", "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8")
	do(t, builds)
	compared := 0
	for name, sum := range everything(t, again, "work") {
		if name == "." {
			continue
		}
		compared++
		b, err := os.ReadFile(file(name))
		if err != nil {
			t.Error(err)
		} else if first := fmt.Sprintf("%x", sha256.Sum256(b)); first != sum {
			t.Errorf("%s: the second build gives other bytes", name)
		}
	}
	if compared != 13 {
		t.Errorf("%d files compared, want 13", compared)
	}
}

// TestMakeReleaseSaysWhatIsMissing: nothing is begun without version and key.
func TestMakeReleaseSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"release"}, "VERSION=1.2.3 KEY=release.pem"},
		{[]string{"release", "VERSION=1.2.3", "KEY=/nowhere/release.pem"}, "no such file"},
		{[]string{"package-linux", "VERSION=1.2"}, "write three numbers"},
		{[]string{"package-windows", "VERSION=1.2.3; rm -rf x"}, "write three numbers"},
		{[]string{"package-windows", "VERSION=1.2.3", "CERT=/nowhere/cert.pem"}, "belong together"},
	} {
		cmd := exec.Command("make", append(c.args, "DIST="+t.TempDir())...)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("make %q: %v\n%s\nwant %q", c.args, err, out, c.want)
		}
	}
}
