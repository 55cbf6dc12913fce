//go:build packages

package tests

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

// realHost is a tuber host on this machine, before the sample site of the
// demo, on loopback alone.
type realHost struct {
	t       *testing.T
	program string
	site    string
	admin   *host.Admin
}

func startHost(t *testing.T) *realHost {
	t.Helper()
	state := t.TempDir()
	h := &realHost{t: t, program: filepath.Join(unpacked(t, file("tuber_9.8.7_amd64.deb")), "usr/bin/tuber")}
	upstream := h.run("site", "demo", "--site-only", "--listen", "127.0.0.1:0")
	h.site = h.run("site", "host", "--upstream", upstream, "--state", state, "--listen", "127.0.0.1:0",
		"--control-listen", "127.0.0.1:0", "--public-host", "127.0.0.1", "--udp-listen", "127.0.0.1:0",
		"--stun-listen", "off", "--no-upnp")
	var err error
	if h.admin, err = host.DialAdmin(state); err != nil {
		t.Fatal(err)
	}
	return h
}

// run starts the program until the test ends, and gives what it prints behind word.
func (h *realHost) run(word string, args ...string) string {
	h.t.Helper()
	return says(h.t, exec.Command(h.program, args...), word)
}

// says starts a program until the test ends, and gives what it prints behind word.
func says(t *testing.T, cmd *exec.Cmd, word string) string {
	t.Helper()
	r, w := io.Pipe()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = w.Close(); _ = cmd.Wait() })
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == word {
				found <- f[1]
				break
			}
		}
		_, _ = io.Copy(io.Discard, r) // it goes on printing
	}()
	select {
	case address := <-found:
		return address
	case <-time.After(2 * time.Minute):
		t.Fatalf("%q does not say its %s", cmd.Args, word)
		return ""
	}
}

// invite is one as a link that opens the app.
func (h *realHost) invite() string {
	h.t.Helper()
	v, err := h.admin.Invite(tuber.Offer{})
	if err != nil {
		h.t.Fatal(err)
	}
	return v.AppURL
}

func (h *realHost) now() tuber.HostState {
	h.t.Helper()
	s, err := h.admin.State()
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// boosters is how many are linked to the planner.
func (h *realHost) boosters() int { return h.now().Boosters }

// delivered is what receivers confirmed to have from boosters, in bytes.
func (h *realHost) delivered() (bytes uint64) {
	for _, b := range h.now().BoosterList {
		bytes += b.Delivered
	}
	return bytes
}

// watch has two viewers watch the stream until the test ends.
func (h *realHost) watch() {
	cmd := exec.Command(h.program, "watch", h.site, "--viewers", "2", "--lan")
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}
