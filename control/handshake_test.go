package control

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const testNow = tuber.Millis(1_800_000_000_000)

func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// meeting is both sides of one handshake, right in everything until a test
// spoils it.
type meeting struct {
	identity  Identity
	authority Authority
	check     func(wire.Join) *wire.Refused
	// The conversation as the other side sees it, changed on the way.
	spoilJoin      func(*wire.Join)
	spoilChallenge func(*wire.Challenge)
	spoilWelcome   func(*wire.Welcome)
}

func newMeeting() *meeting {
	site, planner := testKey("site"), testKey("planner")
	cert := tuber.Certificate{Planner: tuber.PublicKeyOf(planner), Epoch: 7, Expires: testNow + 1000}
	return &meeting{
		identity: Identity{
			Key: testKey("peer"), Site: tuber.PublicKeyOf(site),
			Join: wire.Join{Role: tuber.RoleBooster, Name: "ann", Fingerprint: make(wire.Bytes, 32)},
		},
		authority: Authority{Key: planner, Certificate: tuber.SignCertificate(site, cert), Epoch: 7, Now: testNow},
		check:     func(wire.Join) *wire.Refused { return nil },
	}
}

// relay carries one direction, changing what the test spoils.
func (m *meeting) relay(t *testing.T, from, to Conn) {
	for {
		msg, err := from.Receive(t.Context())
		if err != nil {
			_ = to.Close()
			return
		}
		switch v := msg.(type) {
		case wire.Join:
			if m.spoilJoin != nil {
				m.spoilJoin(&v)
			}
			msg = v
		case wire.Challenge:
			if m.spoilChallenge != nil {
				m.spoilChallenge(&v)
			}
			msg = v
		case wire.Welcome:
			if m.spoilWelcome != nil {
				m.spoilWelcome(&v)
			}
			msg = v
		}
		if to.Send(t.Context(), msg) != nil {
			return
		}
	}
}

func (m *meeting) meet(t *testing.T) (s Session, joinErr error, j wire.Join, admitErr error) {
	peer, peerSide := Pipe()
	plannerSide, planner := Pipe()
	go m.relay(t, peerSide, plannerSide)
	go m.relay(t, plannerSide, peerSide)
	done := make(chan struct{})
	go func() {
		defer close(done)
		j, admitErr = Admit(t.Context(), planner, m.authority, m.check)
		if admitErr != nil {
			_ = planner.Close()
		}
	}()
	s, joinErr = Join(t.Context(), peer, m.identity)
	if joinErr != nil {
		_ = peer.Close()
	}
	<-done
	_, _ = peer.Close(), planner.Close()
	return s, joinErr, j, admitErr
}

func TestHandshakeProvesBothSides(t *testing.T) {
	m := newMeeting()
	s, err, j, admitErr := m.meet(t)
	if err != nil || admitErr != nil {
		t.Fatalf("got %v and %v, want both sides content", err, admitErr)
	}
	if want := tuber.PublicKeyOf(m.authority.Key); s.Planner != want || s.Epoch != 7 {
		t.Errorf("session with %v epoch %d, want %v epoch 7", s.Planner, s.Epoch, want)
	}
	if want := tuber.PublicKeyOf(m.identity.Key).PeerID(); s.Welcome.ID != want || j.Key.PeerID() != want {
		t.Errorf("welcomed %s, admitted %s, want %s", s.Welcome.ID, j.Key.PeerID(), want)
	}
	if j.Name != "ann" || j.Version != wire.Version {
		t.Errorf("admitted %+v", j)
	}
}

func TestJoinRefusesAnImpostor(t *testing.T) {
	other := testKey("other")
	tests := map[string]struct {
		spoil func(*meeting)
		want  error
	}{
		"site of another host": {func(m *meeting) { m.identity.Site = tuber.PublicKeyOf(other) }, tuber.ErrSignature},
		"certificate of another planner": {func(m *meeting) {
			m.spoilChallenge = func(c *wire.Challenge) { c.Planner = tuber.PublicKeyOf(other) }
		}, ErrPlanner},
		"certificate of another epoch": {func(m *meeting) {
			m.spoilChallenge = func(c *wire.Challenge) { c.Epoch++ }
		}, ErrPlanner},
		"expired certificate": {func(m *meeting) { m.authority.Now = testNow + 1001 }, tuber.ErrExpired},
		"expired by the origin's clock": {func(m *meeting) {
			m.identity.Now = func() tuber.Millis { return testNow + 1001 }
		}, tuber.ErrExpired},
		"short nonce": {func(m *meeting) {
			m.spoilChallenge = func(c *wire.Challenge) { c.Nonce = c.Nonce[:8] }
		}, ErrPlanner},
		"welcome by another key": {func(m *meeting) {
			m.spoilWelcome = func(w *wire.Welcome) { w.Signature = tuber.Sign(other, tuber.KindWelcome, nil) }
		}, tuber.ErrSignature},
		"welcome of another peer": {func(m *meeting) {
			m.spoilWelcome = func(w *wire.Welcome) { w.ID[0]++ }
		}, ErrPlanner},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMeeting()
			tt.spoil(m)
			if _, err, _, _ := m.meet(t); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestAdmitRefuses(t *testing.T) {
	tests := map[string]struct {
		spoil func(*meeting)
		want  wire.Code
	}{
		"signature of another key": {func(m *meeting) {
			m.spoilJoin = func(j *wire.Join) { j.Key = tuber.PublicKeyOf(testKey("other")) }
		}, wire.CodeProof},
		"changed fingerprint": {func(m *meeting) {
			m.spoilJoin = func(j *wire.Join) { j.Fingerprint = append(wire.Bytes{1}, j.Fingerprint[1:]...) }
		}, wire.CodeProof},
		"short fingerprint": {func(m *meeting) {
			m.spoilJoin = func(j *wire.Join) { j.Fingerprint = j.Fingerprint[:31] }
		}, wire.CodeProof},
		"no nonce": {func(m *meeting) {
			m.spoilJoin = func(j *wire.Join) { j.Nonce = nil }
		}, wire.CodeProof},
		"long name": {func(m *meeting) {
			m.identity.Join.Name = strings.Repeat("x", tuber.MaxName+1)
		}, wire.CodeProof},
		"old wire version": {func(m *meeting) {
			m.spoilJoin = func(j *wire.Join) { j.Version = wire.Oldest - 1 }
		}, wire.CodeVersion},
		"refused by the check": {func(m *meeting) {
			m.check = func(wire.Join) *wire.Refused { return &wire.Refused{Code: wire.CodeFull, Sentence: "full"} }
		}, wire.CodeFull},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMeeting()
			tt.spoil(m)
			_, err, _, admitErr := m.meet(t)
			for side, err := range map[string]error{"peer": err, "planner": admitErr} {
				var refused *RefusedError
				if !errors.As(err, &refused) || refused.Code != tt.want {
					t.Errorf("%s: got %v, want a refusal of code %s", side, err, tt.want)
				}
			}
		})
	}
}

func TestVersionsThatMeet(t *testing.T) {
	tests := []struct {
		version, oldest int
		refused         bool
		who             string // must update
	}{
		{wire.Version, wire.Oldest, false, ""},
		{wire.Version + 1, wire.Oldest, false, ""},
		{wire.Version + 2, wire.Version + 1, true, "update this program"},
		{wire.Oldest - 1, 0, true, "the host must update"},
	}
	for _, tt := range tests {
		m := newMeeting()
		m.spoilChallenge = func(c *wire.Challenge) { c.Version, c.Oldest = tt.version, tt.oldest }
		_, err, _, _ := m.meet(t)
		var refused *RefusedError
		if got := errors.As(err, &refused); got != tt.refused {
			t.Errorf("planner %d to %d: got %v", tt.oldest, tt.version, err)
		} else if got && (refused.Code != wire.CodeVersion || !strings.Contains(refused.Sentence, tt.who)) {
			t.Errorf("planner %d to %d: got %v, want %q", tt.oldest, tt.version, refused, tt.who)
		}
	}
}

// A join recorded on one connection must not open another one.
func TestReplayedJoinIsRefused(t *testing.T) {
	m := newMeeting()
	var recorded wire.Join
	m.spoilJoin = func(j *wire.Join) { recorded = *j }
	if _, err, _, _ := m.meet(t); err != nil {
		t.Fatal(err)
	}
	m.spoilJoin = func(j *wire.Join) { *j = recorded }
	_, _, _, admitErr := m.meet(t)
	var refused *RefusedError
	if !errors.As(admitErr, &refused) || refused.Code != wire.CodeProof {
		t.Errorf("got %v, want code %s", admitErr, wire.CodeProof)
	}
}
