//go:build packages

package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func debs() []string {
	return []string{file("tuber_9.8.7_amd64.deb"), file("tuber_9.8.7_arm64.deb"), file("tuber-app_9.8.7_amd64.deb")}
}

func TestLintianFindsNoError(t *testing.T) {
	t.Log(do(t, exec.Command("lintian", append([]string{"--fail-on", "error", "--allow-root"}, debs()...)...)))
}

// unpacked is what a .deb installs, in a folder.
func unpacked(t *testing.T, deb string) string {
	t.Helper()
	dir := t.TempDir()
	do(t, exec.Command("dpkg-deb", "-x", deb, dir))
	return dir
}

func TestDesktopFilesAreValid(t *testing.T) {
	root := unpacked(t, file("tuber-app_9.8.7_amd64.deb"))
	do(t, exec.Command("desktop-file-validate", filepath.Join(root, "usr/share/applications/io.github.tubercdn.tuber.desktop")))
	do(t, exec.Command("appstreamcli", "validate", "--no-net", filepath.Join(root, "usr/share/metainfo/io.github.tubercdn.tuber.metainfo.xml")))
	do(t, exec.Command("appstreamcli", "validate-tree", "--no-net", root))
	icons, _ := filepath.Glob(filepath.Join(root, "usr/share/icons/hicolor/*/apps/*"))
	if len(icons) != 10 {
		t.Errorf("%d icons, want 9 sizes and the drawing", len(icons))
	}
}

func TestManualsAndCompletionsAreReadable(t *testing.T) {
	root := unpacked(t, file("tuber_9.8.7_amd64.deb"))
	share := filepath.Join(root, "usr/share")
	for _, page := range []string{
		filepath.Join(share, "man/man1/tuber.1.gz"),
		filepath.Join(unpacked(t, file("tuber-app_9.8.7_amd64.deb")), "usr/share/man/man1/tuber-app.1.gz"),
	} {
		cmd := exec.Command("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page)
		cmd.Env = append(os.Environ(), "MANROFFSEQ=", "MANWIDTH=80")
		var complaints strings.Builder
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil || complaints.Len() > 0 || len(out) < 500 {
			t.Errorf("man %s: %v, %d bytes\n%s", filepath.Base(page), err, len(out), complaints.String())
		}
	}
	do(t, exec.Command("bash", "-n", filepath.Join(share, "bash-completion/completions/tuber")))
	do(t, exec.Command("zsh", "-n", filepath.Join(share, "zsh/vendor-completions/_tuber")))
	app := filepath.Join(unpacked(t, file("tuber-app_9.8.7_amd64.deb")), "usr/share")
	do(t, exec.Command("bash", "-n", filepath.Join(app, "bash-completion/completions/tuber-app")))
	do(t, exec.Command("zsh", "-n", filepath.Join(app, "zsh/vendor-completions/_tuber-app")))
	do(t, exec.Command("fish", "--no-execute", filepath.Join(app, "fish/vendor_completions.d/tuber-app.fish")))
	fish := func(line string) string {
		cmd := exec.Command("fish", "--no-config", "-c", "source "+filepath.Join(share, "fish/vendor_completions.d/tuber.fish")+"; complete -C '"+line+"'")
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		return do(t, cmd)
	}
	for line, want := range map[string]string{
		"tuber ho": "host\t", "tuber invite ": "revoke\t", "tuber host --relay ": "ask\t", "tuber boost --up": "--upload\t",
	} {
		if got := fish(line); !strings.Contains(got, want) {
			t.Errorf("fish completes %q to %q, without %q", line, got, want)
		}
	}
	if got := fish("tuber boost --"); strings.Contains(got, "--upstream") {
		t.Errorf("fish offers a flag of host to boost:\n%s", got)
	}
}

func TestUnitsAreValid(t *testing.T) {
	root := unpacked(t, file("tuber_9.8.7_amd64.deb"))
	for unit, scope := range map[string]string{
		"usr/lib/systemd/user/tuber-boost.service": "--user", "usr/lib/systemd/system/tuber-host.service": "--system",
	} {
		// the unit names the program where the package puts it
		at := filepath.Join(t.TempDir(), filepath.Base(unit))
		text, err := os.ReadFile(filepath.Join(root, unit))
		if err != nil {
			t.Fatal(err)
		}
		put(t, at, strings.ReplaceAll(string(text), "/usr/bin/tuber", filepath.Join(root, "usr/bin/tuber")))
		cmd := exec.Command("systemd-analyze", "verify", scope, "--recursive-errors=no", "--man=no", at)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if out := do(t, cmd); strings.TrimSpace(out) != "" {
			t.Errorf("%s: %s", unit, out)
		}
	}
}

// TestProgramsAreHardened: position independent, stripped, nothing of this
// machine in them, and no newer libc than the package asks for.
func TestProgramsAreHardened(t *testing.T) {
	for program, deb := range map[string]string{"tuber": "tuber_9.8.7_amd64.deb", "tuber-app": "tuber-app_9.8.7_amd64.deb"} {
		path := filepath.Join(unpacked(t, file(deb)), "usr/bin", program)
		if kind := do(t, exec.Command("file", path)); !strings.Contains(kind, "pie executable") || !strings.Contains(kind, ", stripped") {
			t.Errorf("%s: %s", program, kind)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for what, found := range map[string]bool{
			"the folder it was built in": strings.Contains(string(text), repository),
			"another version":            !strings.Contains(string(text), version),
			"no release key":             program == "tuber-app" && !strings.Contains(string(text), key),
		} {
			if found {
				t.Errorf("%s has %s", program, what)
			}
		}
	}
	app := filepath.Join(unpacked(t, file("tuber-app_9.8.7_amd64.deb")), "usr/bin/tuber-app")
	depends := do(t, exec.Command("dpkg-deb", "-f", file("tuber-app_9.8.7_amd64.deb"), "Depends"))
	for _, m := range regexp.MustCompile(`GLIBC_(2\.\d+)`).FindAllStringSubmatch(do(t, exec.Command("objdump", "-T", app)), -1) {
		if exec.Command("dpkg", "--compare-versions", m[1], "gt", regexp.MustCompile(`libc6 \(>= ([\d.]+)\)`).FindStringSubmatch(depends)[1]).Run() == nil {
			t.Errorf("the program needs libc %s, the package asks for less: %s", m[1], depends)
		}
	}
	for _, m := range regexp.MustCompile(`NEEDED\s+(\S+)`).FindAllStringSubmatch(do(t, exec.Command("objdump", "-p", app)), -1) {
		known := map[string]string{"libGL.so.1": "libgl1", "libwayland-client.so.0": "libwayland-client0", "libc.so.6": "libc6", "libm.so.6": "libc6", "libdl.so.2": "libc6", "libpthread.so.0": "libc6", "librt.so.1": "libc6"}
		if known[m[1]] == "" || !strings.Contains(depends, known[m[1]]) {
			t.Errorf("the program needs %s, which the package's dependencies do not bring: %s", m[1], depends)
		}
	}
}

// TestDebsOnACleanDebian: installed with what they depend on, used, purged, and
// nothing left.
func TestDebsOnACleanDebian(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a clean Debian is made as root only")
	}
	d := debian{t, filepath.Join(work, "debian")}
	cleanDebian(t, d.root)
	root, in := d.root, d.run
	for _, deb := range debs() {
		if !strings.Contains(deb, "arm64") {
			do(t, exec.Command("cp", deb, root+"/root/"))
		}
	}
	// first with apt, which finds what they depend on
	in("apt-get", "install", "-qq", "-y", "--no-install-recommends", "/root/tuber_9.8.7_amd64.deb", "/root/tuber-app_9.8.7_amd64.deb")
	in("apt-get", "purge", "-qq", "-y", "tuber", "tuber-app")
	skip := []string{"var/lib/dpkg", "var/lib/apt", "var/cache", "var/log", "tmp", "proc", "sys", "dev", "run"}
	before := everything(t, root, skip...)

	in("dpkg", "-i", "/root/tuber_9.8.7_amd64.deb", "/root/tuber-app_9.8.7_amd64.deb")
	if got := in("tuber", "version"); got != "tuber 9.8.7\n" {
		t.Errorf("tuber version: %q", got)
	}
	if got := in("tuber-app", "--version"); !strings.Contains(got, version) {
		t.Errorf("tuber-app --version: %q", got)
	}
	if got := in("sh", "-c", "tuber boost nonsense 2>&1; echo $?"); !strings.HasSuffix(got, "2\n") {
		t.Errorf("tuber boost nonsense: %q", got)
	}
	d.hostAndFriend()
	d.window()
	if got := in("dpkg", "--verify", "tuber", "tuber-app"); got != "" && !strings.Contains(got, "/usr/share/doc") && !strings.Contains(got, "/usr/share/man") {
		t.Errorf("dpkg --verify: %s", got)
	}
	in("dpkg", "--purge", "tuber", "tuber-app")
	after := everything(t, root, skip...)
	withoutOwn(t, after)
	sameEverything(t, "after the purge", before, after)
	if got := in("sh", "-c", "dpkg -l | grep tuber || true"); got != "" {
		t.Errorf("dpkg still knows: %s", got)
	}
}

// cleanDebian makes one, from where this machine's own Debian comes from and by
// the way that its apt goes there.
func cleanDebian(t *testing.T, root string) {
	t.Helper()
	out := do(t, exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Origin: Debian", "Created-By: Packages"))
	mirror, _, _ := strings.Cut(out, "\n")
	if !strings.HasPrefix(mirror, "http") {
		t.Fatalf("this machine's apt knows no mirror of bookworm: add one to /etc/apt and run apt-get update (it lists %q)", out)
	}
	proxies := do(t, exec.Command("apt-config", "shell", "http_proxy", "Acquire::http::Proxy", "https_proxy", "Acquire::https::Proxy"))
	way := do(t, exec.Command("apt-config", "dump", "Acquire::http", "Acquire::https", "Acquire::Retries"))
	script := "set -a; " + proxies + `
exec debootstrap --variant=minbase --include=ca-certificates bookworm "$0" "$1"`
	if out, err := exec.Command("sh", "-c", script, root, mirror).CombinedOutput(); err != nil {
		t.Fatalf("debootstrap, from %s, which is the first mirror of bookworm that this machine's apt knows: %v\n%s", mirror, err, out)
	}
	put(t, filepath.Join(root, "etc/apt/apt.conf.d/90machine"), way)
	do(t, exec.Command("cp", "/etc/ssl/certs/ca-certificates.crt", filepath.Join(root, "etc/ssl/certs/")))
}

func TestRpmsInstallAndGo(t *testing.T) {
	root := t.TempDir()
	rpm := func(args ...string) string {
		t.Helper()
		return do(t, exec.Command("rpm", append([]string{"--root", root}, args...)...))
	}
	rpm("--initdb")
	skip := []string{"var", "root"}
	before := everything(t, root, skip...)
	packages := []string{file("tuber-9.8.7-1.x86_64.rpm"), file("tuber-app-9.8.7-1.x86_64.rpm")}
	rpm(append([]string{"-K", "--nosignature"}, packages...)...)
	rpm(append([]string{"-i", "--nodeps"}, packages...)...)
	if got := do(t, exec.Command(filepath.Join(root, "usr/bin/tuber"), "version")); got != "tuber 9.8.7\n" {
		t.Errorf("tuber version: %q", got)
	}
	if got := rpm("-q", "--requires", "tuber-app"); !strings.Contains(got, "libGL.so.1()(64bit)") {
		t.Errorf("tuber-app requires %s", got)
	}
	rpm("-e", "tuber", "tuber-app")
	after := everything(t, root, skip...)
	for path := range after {
		// rpm leaves folders of the system, which other packages own
		if kind := after[path]; kind == os.ModeDir.String() && !strings.Contains(path, "tuber") {
			delete(after, path)
		}
	}
	delete(before, ".")
	sameEverything(t, "after rpm -e", before, after)
}

// TestTarballServesOneUser: installed, updated, used and removed in a home
// folder by somebody without any right.
func TestTarballServesOneUser(t *testing.T) {
	home := filepath.Join(work, "a home")
	if err := os.Mkdir(home, 0o777); err != nil {
		t.Fatal(err)
	}
	do(t, exec.Command("tar", "-C", work, "-xf", file("tuber-9.8.7-linux-amd64.tar.xz")))
	do(t, exec.Command("chown", "-R", "nobody:nogroup", home))
	as := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("setpriv", append([]string{"--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"}, args...)...)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home}
		cmd.Dir = "/"
		return do(t, cmd)
	}
	install := filepath.Join(work, "tuber-9.8.7-linux-amd64", "install.sh")
	local := filepath.Join(home, ".local")
	before := everything(t, home)
	as(install)
	if got := as(filepath.Join(local, "bin/tuber"), "version"); got != "tuber 9.8.7\n" {
		t.Errorf("tuber version: %q", got)
	}
	entry := filepath.Join(local, "share/applications/io.github.tubercdn.tuber.desktop")
	do(t, exec.Command("desktop-file-validate", entry))
	for file, want := range map[string]string{
		entry: `Exec="` + local + `/bin/tuber-app" %u`,
		filepath.Join(local, "share/systemd/user/tuber-boost.service"): `ExecStart="` + local + `/bin/tuber" boost`,
	} {
		if text := do(t, exec.Command("cat", file)); !strings.Contains(text, want+"\n") {
			t.Errorf("%s lacks %q:\n%s", filepath.Base(file), want, text)
		}
	}
	if got := as("gio", "mime", "x-scheme-handler/tuber"); !strings.Contains(got, "io.github.tubercdn.tuber.desktop") {
		t.Errorf("tuber:// is opened by: %s", got)
	}

	// an update takes away what the new version does not have
	old := filepath.Join(local, "share/tuber-install/files")
	text := do(t, exec.Command("cat", old))
	gone := filepath.Join(local, "bin/tuber-old")
	put(t, gone, "old")
	put(t, old, text+gone+"\n")
	as(install)
	if _, err := os.Stat(gone); err == nil {
		t.Error("the update left a file that only the old version had")
	}

	uninstall := filepath.Join(local, "share/tuber-install/uninstall.sh")
	state := filepath.Join(home, ".local/state/tuber/booster")
	as("mkdir", "-p", state)
	boost := exec.Command("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--", filepath.Join(local, "bin/tuber"), "gateway", "--stun", "127.0.0.1:0", "--no-upnp")
	boost.Env = []string{"HOME=" + home}
	if err := boost.Start(); err != nil {
		t.Fatal(err)
	}
	as("cp", uninstall, filepath.Join(home, "again.sh"))
	as(uninstall, "--keep")
	_ = boost.Wait() // it was ended, or the test hangs here
	if _, err := os.Stat(state); err != nil {
		t.Errorf("--keep: %v", err)
	}
	as("mkdir", "-p", filepath.Join(local, "share"))
	as(install)
	as(uninstall, "--purge")
	after := everything(t, home)
	for _, kept := range []string{"again.sh", ".local", ".local/state", ".config", ".cache"} {
		delete(after, kept)
	}
	sameEverything(t, "after uninstall.sh --purge", before, after)
	if out, err := exec.Command("sh", filepath.Join(home, "again.sh")).CombinedOutput(); err == nil {
		t.Errorf("a second uninstall succeeds: %s", out)
	}
}
