//go:build packages

package tests

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// debian is a clean one in a folder; what runs in it is on this machine's
// network.
type debian struct {
	t    *testing.T
	root string
}

func (d debian) command(args ...string) *exec.Cmd {
	cmd := exec.Command("chroot", append([]string{d.root}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}
	return cmd
}

func (d debian) run(args ...string) string {
	d.t.Helper()
	return do(d.t, d.command(args...))
}

// start runs a program until the test ends, which then tells what it said if it
// failed.
func (d debian) start(cmd *exec.Cmd) {
	d.t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if d.t.Failed() {
			d.t.Logf("%q said:\n%s", cmd.Args, &said)
		}
	})
}

// ends ends a program as a logout does.
func (d debian) ends(cmd *exec.Cmd) {
	d.t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		d.t.Errorf("%q ended with %v", cmd.Args, err)
	}
}

// status is what the booster that runs there says of itself, "" if none runs.
func (d debian) status() string {
	out, _ := d.command("tuber", "status").Output()
	return string(out)
}

// hostAndFriend hosts a folder and helps it from the same machine, with the
// program without a window.
func (d debian) hostAndFriend() {
	d.t.Helper()
	site := filepath.Join(d.root, "root/site")
	if err := os.Mkdir(site, 0o755); err != nil {
		d.t.Fatal(err)
	}
	put(d.t, filepath.Join(site, "index.html"), "served from a folder")
	host := d.command("tuber", "host", "--files", "/root/site", "--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0",
		"--public-host", "127.0.0.1", "--udp-listen", "127.0.0.1:0", "--stun-listen", "off", "--no-upnp")
	if got := page(d.t, says(d.t, host, "site")); !strings.Contains(got, "served from a folder") {
		d.t.Errorf("the site is %q", got)
	}
	invite, _, _ := strings.Cut(d.run("tuber", "invite", "create"), "\n")
	_, at, _ := strings.Cut(invite, "://")
	at, _, _ = strings.Cut(at, "/")
	boost := d.command("tuber", "boost", invite, "--listen", "127.0.0.1:0", "--no-upnp")
	d.start(boost)
	eventually(d.t, "the booster in the swarm", time.Minute, func() bool { return strings.Contains(d.status(), at+": joined") })
	d.run("tuber", "leave", at)
	if got := d.status(); got == "" || strings.Contains(got, at) {
		d.t.Errorf("after it left: %q", got)
	}
	d.ends(boost)
	d.ends(host)
	if err := os.RemoveAll(site); err != nil {
		d.t.Error(err)
	}
}

func page(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// window shows the one on a screen of this machine, and quits it.
func (d debian) window() {
	d.t.Helper()
	proc := filepath.Join(d.root, "proc") // by which a program finds out where it lies
	do(d.t, exec.Command("mount", "-t", "proc", "proc", proc))
	d.t.Cleanup(func() { do(d.t, exec.Command("umount", proc)) })
	screen := "DISPLAY=" + display(d.t)
	app := d.command("tuber-app", "--no-upnp")
	app.Env = append(app.Env, screen, "LIBGL_ALWAYS_SOFTWARE=1", "MESA_SHADER_CACHE_DISABLE=1")
	d.start(app)
	eventually(d.t, "the window", time.Minute, func() bool {
		look := exec.Command("xdotool", "search", "--onlyvisible", "--name", "^Tuber$")
		look.Env = append(os.Environ(), screen)
		return look.Run() == nil
	})
	eventually(d.t, "the booster behind it", time.Minute, func() bool { return d.status() != "" })
	d.run("tuber-app", "--quit")
	if err := app.Wait(); err != nil {
		d.t.Errorf("it ended with %v", err)
	}
}

// own are what a purge leaves, since it is the user's: the state of the booster,
// of the host and of the window, and the empty preferences that Fyne writes.
var own = []string{
	"root/.local/state/tuber/booster", "root/.local/state/tuber/host", "root/.local/state/tuber/app",
	"root/.config/fyne/io.github.tubercdn.tuber",
}

// withoutOwn takes away what is the user's, which must be there.
func withoutOwn(t *testing.T, all map[string]string) {
	t.Helper()
	for _, folder := range own {
		if _, ok := all[folder]; !ok {
			t.Errorf("the purge took %s away, which is the user's own", folder)
		}
		for path := range all {
			if path == folder || strings.HasPrefix(path, folder+"/") || strings.HasPrefix(folder, path+"/") && strings.HasPrefix(path, "root/.") {
				delete(all, path)
			}
		}
	}
}
