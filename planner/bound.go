package planner

import (
	"math"
	"slices"

	"github.com/tubercdn/tuber"
)

// Bound is the class bound of a content: what its viewers need against the
// uplinks that can reach them, for every set of classes of viewers. No plan can
// do better, whatever its trees look like (max-flow, min-cut over the classes).
type Bound struct {
	Need    tuber.BitsPerSecond // of the set of viewers that is worst off
	Supply  tuber.BitsPerSecond // payload that can reach that set
	Missing tuber.BitsPerSecond // Need - Supply, 0 if it suffices
	Viewers int                 // in that set
}

// classes of viewers differ in who can reach them: by their reach, and by
// whether they take part in links between viewers.
var classes = [...]tuber.Means{
	{Reach: tuber.ReachPunchable, Relay: true}, {Reach: tuber.ReachPunchable},
	{Reach: tuber.ReachSymmetric, Relay: true}, {Reach: tuber.ReachSymmetric},
	{Reach: tuber.ReachDialable, Relay: true}, {Reach: tuber.ReachDialable},
}

// classOf is the index of p's class; an unknown reach is treated as punchable.
func classOf(p *Peer) int {
	n := 0
	switch p.Means.Reach {
	case tuber.ReachSymmetric:
		n = 2
	case tuber.ReachDialable:
		n = 4
	}
	if !p.Means.Relay {
		n++
	}
	return n
}

// ClassBound computes the bound of one content of a state, as if it were the
// only one. Uplinks count in whole slots, as plans use them. A booster must be
// given what it passes on, so its uplink counts less the partitions that it
// takes; a viewer's counts up to uploadPerStream times what it receives.
func ClassBound(st State, content tuber.ContentID) Bound {
	c, ok := contentOf(st, content)
	if !ok {
		return Bound{}
	}
	return classBound(st.Peers, st.Origin, c)
}

// supplier is what peers alike have in common; a bound depends on how many there
// are of each kind, not on who they are.
type supplier struct {
	slots   int
	class   int
	reach   tuber.Reach
	relay   bool
	role    tuber.Role
	watches bool
}

func classBound(peers []Peer, origin tuber.PeerID, c tuber.Content) Bound {
	var number [len(classes)]int
	kinds := map[supplier]int{}
	var visits [len(classes)]int // partitions for visitors
	for i := range peers {
		p := &peers[i]
		if p.visits() {
			visits[classOf(p)] += p.needs(&c).Len()
			continue
		}
		s := supplier{
			slots: slotsOf(p, origin, c), class: classOf(p), reach: p.Means.Reach, relay: p.Means.Relay,
			role: p.Role, watches: wantsContent(p, c.ID),
		}
		if s.watches {
			number[s.class]++
		}
		if s.slots > 0 {
			kinds[s]++
		}
	}
	for n, parts := range visits {
		number[n] += (parts + c.K - 1) / c.K
	}
	var worst Bound
	for set := 1; set < 1<<len(classes); set++ {
		b := cutOf(kinds, c, number, set)
		if b.Viewers > 0 && (b.Missing > worst.Missing || b.Missing == worst.Missing && b.Need >= worst.Need) {
			worst = b
		}
	}
	return worst
}

// More is the upload that one more booster, which anyone can dial, would need so
// that the bound holds.
func (b Bound) More(c tuber.Content) tuber.BitsPerSecond {
	slot := float64(c.Rate) / float64(c.K)
	missing := int(math.Ceil(float64(b.Missing)/slot - 1e-6))
	if missing <= 0 {
		return 0
	}
	slots := missing
	for range c.K { // it takes at most K slots itself
		if slots-copyOf(c, slots, b.Viewers) >= missing {
			break
		}
		slots++
	}
	return tuber.BitsPerSecond(math.Ceil(float64(slots) * slot / useOfUplink))
}

// copyOf is the least number of partitions that a booster must be given to fill
// its slots.
func copyOf(c tuber.Content, slots, viewers int) int {
	viewers = max(viewers, 1)
	return min(c.K, (slots+viewers-1)/viewers)
}

func contentOf(st State, id tuber.ContentID) (tuber.Content, bool) {
	for _, c := range sortedContents(st.Contents) {
		if c.ID == id {
			if c.Rate <= 0 {
				c.Rate = guessedRate
			}
			return c, true
		}
	}
	return tuber.Content{}, false
}

func wantsContent(p *Peer, c tuber.ContentID) bool {
	return p.Role == tuber.RoleViewer && p.Means.Reach != tuber.ReachNone && slices.Contains(p.Wants, c)
}

// cutOf is one set of classes against all that can reach one of them.
func cutOf(kinds map[supplier]int, c tuber.Content, number [len(classes)]int, set int) Bound {
	var b Bound
	for n := range classes {
		if set&(1<<n) != 0 {
			b.Viewers += number[n]
		}
	}
	slots := 0
	for s, many := range kinds {
		others := b.Viewers
		left := number
		if s.watches {
			left[s.class]-- // nobody feeds itself
			if set&(1<<s.class) != 0 {
				others--
			}
		}
		if !s.reaches(left, set) {
			continue
		}
		own := min(s.slots, c.K*others)
		if s.role == tuber.RoleBooster {
			own -= copyOf(c, own, others)
		}
		slots += many * own
	}
	b.Need = tuber.BitsPerSecond(b.Viewers) * c.Rate
	b.Supply = tuber.BitsPerSecond(math.Round(float64(slots) * float64(c.Rate) / float64(c.K)))
	b.Missing = max(0, b.Need-b.Supply)
	return b
}

// slotsOf is how many partitions of c its uplink lets p send at once.
func slotsOf(p *Peer, origin tuber.PeerID, c tuber.Content) int {
	up := useOfUplink * float64(max(p.Upload, 0))
	switch {
	case p.Mute || p.Means.Reach == tuber.ReachNone:
		return 0
	case p.Role == tuber.RoleOrigin && p.ID != origin:
		return 0
	case p.Role == tuber.RoleViewer && (p.needsDialable() || !wantsContent(p, c.ID)):
		return 0
	case p.Role == tuber.RoleViewer:
		up = min(up, uploadPerStream*float64(c.Rate))
	}
	return int(min(1e9, up*float64(c.K)/float64(c.Rate)+1e-9))
}

// reaches tells whether a supplier can feed somebody of the set.
func (s supplier) reaches(number [len(classes)]int, set int) bool {
	self := Peer{Role: s.role, Means: tuber.Means{Reach: s.reach, Relay: s.relay}}
	for n, k := range classes {
		if set&(1<<n) == 0 || number[n] == 0 {
			continue
		}
		if other := (Peer{Role: tuber.RoleViewer, Means: k}); canLink(&self, &other) {
			return true
		}
	}
	return false
}
