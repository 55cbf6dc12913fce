package demo

import (
	"fmt"
	"strings"

	"github.com/tubercdn/tuber"
)

// statusLine is the demo's one line a second. Tabs of one browser profile are
// one viewer; every viewer is a peer, and so is every booster.
func statusLine(s tuber.HostStatus) string {
	parts := []string{
		count(s.Tabs, "tab") + " of " + count(s.Viewers, "viewer"),
		count(s.Boosters, "booster"),
		fmt.Sprintf("%.0f %% from peers", 100*s.FromPeers),
		upload(s),
	}
	if !s.Planner {
		parts = append(parts, "planner stopped")
	}
	if s.Short > 0 {
		parts = append(parts, fmt.Sprintf("%v of boosters missing", s.Short))
	}
	return strings.Join(parts, " | ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func upload(s tuber.HostStatus) string {
	if s.Bitrate == 0 {
		return fmt.Sprintf("host sends %v, no stream watched", s.Upload)
	}
	return fmt.Sprintf("host sends %v = %.2f x the stream's %v", s.Upload, float64(s.Upload)/float64(s.Bitrate), s.Bitrate)
}
