//go:build !race

package apptest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// appGroup is the group that the desktop program runs in where this user may
// choose: the kernel knows by it which packets are the program's, whatever
// sockets it opens.
const appGroup = 64713

func (s *stage) group() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Gid: appGroup}}
}

// meter counts what the desktop program sends over UDP, headers and all, in the
// kernel where this user may, else what the booster itself counts.
type meter func() uint64

func (s *stage) meter() meter {
	s.t.Helper()
	table := fmt.Sprintf("tubertest%d", os.Getpid())
	rules := fmt.Sprintf("table inet %s {\nchain out {\ntype filter hook output priority 0;\nmeta l4proto udp meta skgid %d counter\n}\n}\n", table, appGroup)
	nft := func(stdin string, args ...string) (string, error) {
		cmd := exec.Command("nft", args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := nft(rules, "-f", "-"); err != nil {
		s.t.Logf("the kernel does not count (%v, %s): the booster's own count is taken", err, strings.TrimSpace(out))
		return func() uint64 { return s.status().Sent }
	}
	s.t.Cleanup(func() { nft("", "delete", "table", "inet", table) })
	counted := regexp.MustCompile(`bytes (\d+)`)
	return func() uint64 {
		out, err := nft("", "list", "table", "inet", table)
		m := counted.FindStringSubmatch(out)
		if err != nil || m == nil {
			s.t.Fatalf("read the counter: %v %s", err, out)
		}
		n, _ := strconv.ParseUint(m[1], 10, 64)
		return n
	}
}

// reading is what a meter showed at a moment.
type reading struct {
	at    time.Time
	bytes uint64
}

func (m meter) read() reading {
	before := time.Now()
	bytes := m()
	return reading{before.Add(time.Since(before) / 2), bytes}
}

// since is the rate from an earlier reading to this one.
func (r reading) since(from reading) tuber.BitsPerSecond {
	return tuber.BitsPerSecond(float64(r.bytes-from.bytes) * 8 / r.at.Sub(from.at).Seconds())
}

const (
	stretch   = 10 * time.Second
	lookEvery = 500 * time.Millisecond
	clockErr  = 1.005 // of a stretch, by the time that a reading takes
)

// keeps looks at every stretch of ten seconds, twice a second, for as long as it
// takes and a stretch more, until one uses the cap up to 95 %. None may go over
// it. Every five seconds more is called, which sees to it that more is asked for
// than the cap lets through.
func (m meter) keeps(t *testing.T, limit tuber.BitsPerSecond, more func()) {
	t.Helper()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var looks []reading
	var best tuber.BitsPerSecond
	begin := time.Now()
	enough := 0 // looks since the cap was used
	for n := 0; enough*int(lookEvery) < int(stretch); n++ {
		if n%10 == 0 {
			more()
		}
		<-tick.C
		now := m.read()
		looks = append(looks, now)
		for len(looks) > 1 && now.at.Sub(looks[1].at) >= stretch {
			looks = looks[1:]
		}
		if now.at.Sub(looks[0].at) < stretch {
			continue
		}
		got := now.since(looks[0])
		if float64(got) > float64(limit)*clockErr {
			t.Errorf("%v on the wire over ten seconds, over the cap of %v", got, limit)
		}
		if best = max(best, got); float64(best) >= 0.95*float64(limit) {
			enough++
		}
		if n > 360 {
			t.Errorf("at most %v on the wire over ten seconds, want 0.95 of %v", best, limit)
			break
		}
	}
	t.Logf("at most %.3f of the cap on the wire over ten seconds, within %.0f s", float64(best)/float64(limit), time.Since(begin).Seconds())
}

// listening are the addresses at which a program waits for TCP.
func (p *proc) listening() (list []string) {
	p.t.Helper()
	own := map[string]bool{}
	fds := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	entries, err := os.ReadDir(fds)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && strings.HasPrefix(to, "socket:[") {
			own[strings.Trim(to, "socket:[]")] = true
		}
	}
	const listens = "0A" // the state, as include/net/tcp_states.h has it
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", p.cmd.Process.Pid, table))
		if err != nil {
			continue // without IPv6
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == listens && own[f[9]] {
				list = append(list, table+" "+f[1])
			}
		}
	}
	return list
}
