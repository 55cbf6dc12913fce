package planner

import (
	"crypto/sha256"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/wire"
)

func TestWhoIsAdmitted(t *testing.T) {
	secret := make(wire.Bytes, 32)
	hash := tuber.Digest(sha256.Sum256(secret))
	invited := func(h *house, state error) func(*wire.Join) {
		h.book.secrets[hash] = state
		return func(j *wire.Join) {
			h.book.boosters = map[tuber.PeerID]tuber.BoosterRecord{}
			j.Secret = secret
		}
	}
	stranger := func(h *house) func(*wire.Join) {
		return func(*wire.Join) { h.book.boosters = map[tuber.PeerID]tuber.BoosterRecord{} }
	}
	ticket := func(change func(h *house, f *tuber.Ticket) string) func(h *house) func(*wire.Join) {
		return func(h *house) func(*wire.Join) {
			tk := tuber.Ticket{Fingerprint: tuber.Fingerprint{1}, Expires: tuber.MillisOf(time.Now().Add(time.Minute))}
			text := change(h, &tk)
			return func(j *wire.Join) { j.Ticket = text }
		}
	}
	tests := map[string]struct {
		name   string
		role   tuber.Role
		change func(h *house) func(*wire.Join)
		want   wire.Code
	}{
		"viewer with a ticket": {"ann", tuber.RoleViewer, nil, ""},
		"viewer without": {"ann", tuber.RoleViewer, func(*house) func(*wire.Join) {
			return func(j *wire.Join) { j.Ticket = "" }
		}, wire.CodeTicket},
		"expired ticket": {"ann", tuber.RoleViewer, ticket(func(h *house, tk *tuber.Ticket) string {
			tk.Expires = tuber.MillisOf(time.Now().Add(-time.Second))
			return tuber.SignTicket(h.planner.cfg.Key, *tk)
		}), wire.CodeTicket},
		"ticket of another fingerprint": {"ann", tuber.RoleViewer, ticket(func(h *house, tk *tuber.Ticket) string {
			tk.Fingerprint[0]++
			return tuber.SignTicket(h.planner.cfg.Key, *tk)
		}), wire.CodeTicket},
		"ticket of another planner": {"ann", tuber.RoleViewer, ticket(func(_ *house, tk *tuber.Ticket) string {
			return tuber.SignTicket(testKey("other planner"), *tk)
		}), wire.CodeTicket},
		"enrolled booster": {"bob", tuber.RoleBooster, nil, ""},
		"unknown booster":  {"bob", tuber.RoleBooster, stranger, wire.CodeUnknown},
		"booster banned in the book": {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) {
			return func(*wire.Join) {
				for id, r := range h.book.boosters {
					r.Bad = true
					h.book.boosters[id] = r
				}
			}
		}, wire.CodeQuarantine},
		"fresh invite":   {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) { return invited(h, nil) }, ""},
		"used invite":    {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) { return invited(h, tuber.ErrInviteUsed) }, wire.CodeInvite},
		"expired invite": {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) { return invited(h, tuber.ErrInviteExpired) }, wire.CodeInvite},
		"revoked invite": {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) { return invited(h, tuber.ErrInviteRevoked) }, wire.CodeInvite},
		"unknown invite": {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) {
			f := invited(h, nil)
			delete(h.book.secrets, hash)
			return f
		}, wire.CodeInvite},
		"secret cut short": {"bob", tuber.RoleBooster, func(h *house) func(*wire.Join) {
			f := invited(h, nil)
			return func(j *wire.Join) { f(j); j.Secret = j.Secret[:31] }
		}, wire.CodeInvite},
		"the origin":             {"origin", tuber.RoleOrigin, nil, ""},
		"somebody as origin":     {"eve", tuber.RoleOrigin, nil, wire.CodeProof},
		"the origin as a viewer": {"origin", tuber.RoleViewer, nil, wire.CodeProof},
		"no role":                {"eve", "king", nil, wire.CodeProof},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			story(t, func(h *house) {
				var changes []func(*wire.Join)
				if tt.change != nil {
					changes = append(changes, tt.change(h))
				}
				g, err := h.join(tt.name, tt.role, changes...)
				if got := refusal(err); got != tt.want || (err != nil) != (tt.want != "") {
					t.Errorf("got %v, want code %q", err, tt.want)
				}
				if err == nil {
					_ = g.hangUp()
				}
			})
		})
	}
}

func TestAnInviteEnrolsOnce(t *testing.T) {
	story(t, func(h *house) {
		secret := make(wire.Bytes, 32)
		h.book.secrets[sha256.Sum256(secret)] = nil
		with := func(j *wire.Join) { j.Secret = secret }
		forget := func(*wire.Join) { h.book.boosters = map[tuber.PeerID]tuber.BoosterRecord{} }
		_ = h.must("bob", tuber.RoleBooster, forget, with).hangUp()
		again, err := h.join("bob", tuber.RoleBooster, with) // its key is in the book: nothing is burnt
		if err != nil {
			t.Fatal(err)
		}
		_ = again.hangUp()
		if _, err := h.join("carl", tuber.RoleBooster, func(j *wire.Join) {
			_ = h.book.RemoveBooster(tuber.PublicKeyOf(testKey("carl")).PeerID())
			with(j)
		}); refusal(err) != wire.CodeInvite {
			t.Errorf("got %v, want code %s", err, wire.CodeInvite)
		}
	})
}

// The main job: what the origin sends once comes to all, mostly from peers.
func TestViewersAreFedByTheBoosterAndEachOther(t *testing.T) {
	story(t, func(h *house) {
		o := h.must("origin", tuber.RoleOrigin)
		b := h.must("bob", tuber.RoleBooster)
		v, w := h.must("ann", tuber.RoleViewer), h.must("eve", tuber.RoleViewer)
		v.want()
		w.want()
		passes(2 * time.Second)
		n := 0
		for _, a := range o.lastPlan().Assignments {
			n += a.Partitions.Len()
		}
		if n != h.content.K {
			t.Errorf("the origin sends %d partitions, want each of %d once", n, h.content.K)
		}
		for _, g := range []*guest{v, w, b} {
			var all tuber.Partitions
			for _, s := range g.lastPlan().Sources {
				if !s.Standby {
					all |= s.Partitions
				}
			}
			if all != tuber.AllPartitions(h.content.K) {
				t.Errorf("%s gets partitions %b", g.role, all)
			}
		}
		if len(b.lastPlan().Holds) == 0 {
			t.Error("the booster holds nothing")
		}
		for _, g := range []*guest{o, b, v, w} {
			_ = g.hangUp()
		}
	})
}

func TestTabsAreAViewersOwnWord(t *testing.T) {
	for _, c := range []struct{ said, want int }{{0, 0}, {1, 1}, {3, 3}, {maxTabs, maxTabs}, {maxTabs + 1, maxTabs}, {1 << 40, maxTabs}, {-2, 0}} {
		story(t, func(h *house) {
			ann := h.must("ann", tuber.RoleViewer)
			ann.want()
			ann.say(wire.Want{Contents: []tuber.ContentID{h.content.ID}, Tabs: c.said}) // nothing else changed
			synctest.Wait()
			if peers, _ := h.planner.Status(); len(peers) != 1 || peers[0].Tabs != c.want {
				t.Errorf("said %d tabs: got %+v, want %d", c.said, peers, c.want)
			}
			_ = ann.hangUp()
		})
	}
}

func TestSignalsPassInOrderBetweenIntroducedPeers(t *testing.T) {
	story(t, func(h *house) {
		o, v := h.must("origin", tuber.RoleOrigin), h.must("ann", tuber.RoleViewer)
		stranger := h.must("eve", tuber.RoleViewer)
		v.want()
		passes(time.Second)
		candidate := func(n uint32, s string) wire.Signal {
			return wire.Signal{Peer: o.id, Kind: wire.SignalCandidate, Attempt: n, Data: s}
		}
		v.say(candidate(1, "candidate:1")) // before the offer: held back
		v.say(wire.Signal{Peer: stranger.id, Kind: wire.SignalOffer, Attempt: 9})
		o.say(wire.Signal{Peer: v.id, Kind: wire.SignalAnswer, Attempt: 7, Data: "answers nothing"})
		synctest.Wait()
		if n := len(got[wire.Signal](o)) + len(got[wire.Signal](stranger)) + len(got[wire.Signal](v)); n != 0 {
			t.Errorf("%d signals passed too early or to a stranger", n)
		}
		v.say(wire.Signal{Peer: o.id, Kind: wire.SignalOffer, Attempt: 1, Data: "offer"})
		for range 2 * maxCandidates {
			v.say(candidate(1, "candidate:2"))
		}
		synctest.Wait()
		o.say(wire.Signal{Peer: v.id, Kind: wire.SignalAnswer, Attempt: 1, Data: "answer"})
		synctest.Wait()
		signals := got[wire.Signal](o)
		if len(signals) != 1+maxCandidates {
			t.Fatalf("%d signals came, want an offer and %d candidates", len(signals), maxCandidates)
		}
		if signals[0].Kind != wire.SignalOffer || signals[1].Data != "candidate:1" || signals[0].Peer != v.id {
			t.Errorf("got %v, %v first, want the offer and its first candidate", signals[0], signals[1])
		}
		if answers := got[wire.Signal](v); len(answers) != 1 || answers[0].Peer != o.id {
			t.Errorf("the viewer got %v, want the answer", answers)
		}
		for _, g := range []*guest{o, v, stranger} {
			_ = g.hangUp()
		}
	})
}

func TestALeaseEnds(t *testing.T) {
	story(t, func(h *house) {
		o, v, w := h.must("origin", tuber.RoleOrigin), h.must("ann", tuber.RoleViewer), h.must("eve", tuber.RoleViewer)
		v.want()
		w.want()
		passes(tuber.Lease+5*time.Second, o, v) // eve says nothing
		if peers, _ := h.planner.Status(); len(peers) != 2 {
			t.Errorf("%d peers, want the silent one gone", len(peers))
		}
		<-w.done
		if got := sources(v.lastPlan(), w.id); got != 0 {
			t.Errorf("partitions %b are still to come from the one that left", got)
		}
		_ = o.hangUp()
		_ = v.hangUp()
		<-w.served
	})
}

func TestAMembershipOutlivesItsSession(t *testing.T) {
	story(t, func(h *house) {
		o, v := h.must("origin", tuber.RoleOrigin), h.must("ann", tuber.RoleViewer)
		v.want()
		passes(time.Second)
		before := v.lastPlan()
		_ = v.hangUp()
		passes(2*time.Second, o)
		if got := o.lastPlan().Assignments; len(got) == 0 {
			t.Error("the viewer was given up at once")
		}
		back := h.must("ann", tuber.RoleViewer, func(j *wire.Join) { j.Plan = before })
		passes(time.Second, o)
		if got := sources(back.lastPlan(), o.id); got != tuber.AllPartitions(h.content.K) {
			t.Errorf("back again it gets partitions %b", got)
		}
		_ = o.hangUp()
		_ = back.hangUp()
	})
}

func TestANewerSessionSupersedes(t *testing.T) {
	story(t, func(h *house) {
		old := h.must("ann", tuber.RoleViewer)
		newer := h.must("ann", tuber.RoleViewer)
		<-old.done
		if err := <-old.served; err == nil || old.last() != wire.CodeSuperseded {
			t.Errorf("old session: got %v, %q", err, old.last())
		}
		newer.say(wire.Alive{})
		synctest.Wait()
		if len(got[wire.Alive](newer)) != 1 {
			t.Error("the newer session is not served")
		}
		_ = newer.hangUp()
	})
}

func TestKillSwitch(t *testing.T) {
	story(t, func(h *house) {
		o, v := h.must("origin", tuber.RoleOrigin), h.must("ann", tuber.RoleViewer)
		h.planner.SetOff(true)
		<-v.done
		<-v.served
		if v.last() != wire.CodeOff {
			t.Errorf("got %q, want %q", v.last(), wire.CodeOff)
		}
		if _, err := h.join("eve", tuber.RoleViewer); refusal(err) != wire.CodeOff {
			t.Errorf("joined while off: %v", err)
		}
		h.planner.SetOff(false)
		_ = h.must("eve", tuber.RoleViewer).hangUp()
		_ = o.hangUp()
	})
}

func TestFull(t *testing.T) {
	story(t, func(h *house) {
		h.planner.root.cfg.MaxPeers = 1
		v := h.must("ann", tuber.RoleViewer)
		if _, err := h.join("eve", tuber.RoleViewer); refusal(err) != wire.CodeFull {
			t.Errorf("got %v, want code %s", err, wire.CodeFull)
		}
		_ = h.must("bob", tuber.RoleBooster).hangUp() // a booster is never one too many
		_ = v.hangUp()
	})
}

func TestASlowReaderIsDropped(t *testing.T) {
	story(t, func(h *house) {
		ours, theirs := control.Pipe()
		served := make(chan error, 1)
		go func() { served <- h.planner.Serve(h.ctx, theirs) }()
		f := tuber.Fingerprint{1}
		_, err := control.Join(h.ctx, ours, control.Identity{
			Key: testKey("ann"), Site: tuber.PublicKeyOf(h.site),
			Join: wire.Join{Role: tuber.RoleViewer, Fingerprint: f[:], Ticket: h.planner.Ticket(f)},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2000 { // each change is told to everybody; ann reads nothing
			c := h.content
			c.Rate = tuber.BitsPerSecond(1e6 + i)
			h.planner.SetContents([]tuber.Content{c})
		}
		if err := <-served; err == nil {
			t.Error("it is served still")
		}
	})
}

func TestACrowdComesAndGoes(t *testing.T) {
	story(t, func(h *house) {
		h.content.Rate = 300e3 // newcomers are trusted with little
		h.planner.SetContents([]tuber.Content{h.content})
		o, b := h.must("origin", tuber.RoleOrigin), h.must("bob", tuber.RoleBooster)
		var crowd []*guest
		for i := range 200 {
			g := h.must("viewer"+time.Duration(i).String(), tuber.RoleViewer)
			g.want()
			crowd = append(crowd, g)
		}
		passes(5 * time.Second)
		for i, g := range crowd {
			if n := partitions(g.lastPlan()); n != tuber.AllPartitions(h.content.K) {
				t.Errorf("viewer %d gets partitions %b", i, n)
			}
		}
		for i, g := range crowd {
			if i%2 == 0 {
				g.say(wire.Leave{})
				<-g.done
				<-g.served
			} else {
				_ = g.hangUp()
			}
		}
		passes(tuber.Lease+5*time.Second, o, b)
		if peers, _ := h.planner.Status(); len(peers) != 2 {
			t.Errorf("%d peers are left, want 2", len(peers))
		}
		_ = o.hangUp()
		_ = b.hangUp()
	})
}

func partitions(p *tuber.PeerPlan) tuber.Partitions {
	var out tuber.Partitions
	for _, s := range p.Sources {
		if !s.Standby {
			out |= s.Partitions
		}
	}
	return out
}
