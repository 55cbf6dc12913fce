package swarmtest

import (
	"strings"
	"testing"
	"time"
)

// A booster and a viewer, each behind a NAT that keeps its port, are
// introduced and punch through: the video goes straight from home to home.
func TestChunksPassBetweenTwoNATs(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.home("a", natA, 1, false)
	c.home("b", natB, 2, false)
	c.host()
	c.boost("a")
	c.until("the booster knows how it is reached", func() bool {
		return c.status("a").Reachable == "reachable after an introduction"
	})
	s := c.watch("b", 15*time.Second, "--check")
	if s.Segments < 8 || s.Failed > 0 || s.Wrong > 0 || s.Checked == 0 {
		t.Errorf("the viewer saw %+v, want a dozen segments, all right", s)
	}
	const least = 500 << 10
	if got := c.sent("a", natB); got < least || s.Bytes.Peers < least {
		t.Errorf("%d bytes went from home to home, the viewer counts %d, want %d at least", got, s.Bytes.Peers, least)
	}
}

// Behind a NAT that gives every destination another port nobody can be
// reached who cannot be dialled: the planner does not try, and the host, which
// can, serves.
func TestSymmetricNATIsServedByTheHost(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.home("a", natA, 1, false)
	c.home("b", natB, 2, true)
	c.host()
	c.boost("a")
	c.boost("b")
	c.until("both boosters know how they are reached", func() bool {
		return c.status("a").Reachable == "reachable after an introduction" &&
			strings.HasPrefix(c.status("b").Reachable, "reachable only for peers that can be dialled")
	})
	// What was tried before that was known ends by itself.
	before := c.still(3*time.Second, func() any { return [2]uint64{c.sent("a", natB), c.sent("b", natA)} })
	c.watch("host", 8*time.Second)
	if after := any([2]uint64{c.sent("a", natB), c.sent("b", natA)}); after != before {
		t.Errorf("bytes between the NATs went from %v to %v: the planner introduced a pair that cannot link", before, after)
	}
	if a, b := c.status("a"), c.status("b"); a.Links == 0 || b.Links == 0 {
		t.Errorf("links: %d and %d, want both boosters linked to the host", a.Links, b.Links)
	}
	s := c.watch("b", 12*time.Second, "--check")
	if s.Segments < 6 || s.Failed > 0 || s.Wrong > 0 || s.Checked == 0 {
		t.Errorf("the viewer behind the symmetric NAT saw %+v, want ten segments, all right", s)
	}
	if s.Bytes.Peers != 0 || s.Bytes.Origin == 0 {
		t.Errorf("the viewer's bytes: %+v, want them from the host over a link", s.Bytes)
	}
}
