// Package crowd makes up swarms for the benches: one content, an origin behind a
// home line, boosters and viewers with the mix of uplinks and NATs that homes
// have. It reads the plans that the real planner makes for them.
//
// Invariant: the same seed gives the same swarm, peer by peer.
package crowd

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/planner"
)

// The one content of every swarm here.
const (
	K    = 8
	Rate = tuber.BitsPerSecond(4e6)
)

const (
	originUplink  = tuber.BitsPerSecond(20e6)
	boosterUplink = tuber.BitsPerSecond(40e6)
	perBooster    = 40 // viewers for each booster, rounded up
	givesAtMost   = 2  // a viewer sends at most this many times what it receives, as the planner has it
)

// Now is the moment at which the swarms are planned.
var Now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// uplinks are the classes of homes: share of the viewers, upload.
var uplinks = []struct {
	share  float64
	upload tuber.BitsPerSecond
}{{0.30, 0}, {0.30, 5e6}, {0.25, 20e6}, {0.10, 50e6}, {0.05, 200e6}}

// reaches are the classes of NATs: share of the viewers, reach. Nine in ten
// viewers can be linked to somehow by most others.
var reaches = []struct {
	share float64
	reach tuber.Reach
}{{0.10, tuber.ReachDialable}, {0.77, tuber.ReachPunchable}, {0.10, tuber.ReachSymmetric}, {0.03, tuber.ReachNone}}

// Content is what everybody watches.
func Content() tuber.Content {
	const url = "/live.m3u8"
	return tuber.Content{ID: tuber.NewContentID(tuber.PublicKey{}, url, 1), URL: url, K: K, Rate: Rate, Epoch: 1, Target: 2000}
}

// Crowd is a swarm that people join and leave.
type Crowd struct {
	State planner.State
	rng   *rand.Rand
	made  uint64
}

// New is a swarm of so many viewers and one booster for every 40 of them.
func New(seed uint64, viewers int) *Crowd {
	c := &Crowd{rng: rand.New(rand.NewPCG(seed, 1))}
	origin := c.peer(tuber.RoleOrigin, originUplink, tuber.ReachDialable)
	c.State = planner.State{Epoch: 1, Origin: origin.ID, Contents: []tuber.Content{Content()}, Peers: []planner.Peer{origin}}
	for range (viewers + perBooster - 1) / perBooster {
		c.State.Peers = append(c.State.Peers, c.peer(tuber.RoleBooster, boosterUplink, tuber.ReachDialable))
	}
	for range viewers {
		c.Join()
	}
	return c
}

// Join adds a viewer.
func (c *Crowd) Join() planner.Peer {
	var upload tuber.BitsPerSecond
	for x, i := c.rng.Float64(), 0; x >= 0 && i < len(uplinks); i++ {
		upload, x = uplinks[i].upload, x-uplinks[i].share
	}
	reach := tuber.ReachPunchable
	for x, i := c.rng.Float64(), 0; x >= 0 && i < len(reaches); i++ {
		reach, x = reaches[i].reach, x-reaches[i].share
	}
	p := c.peer(tuber.RoleViewer, upload, reach)
	p.Wants = []tuber.ContentID{Content().ID}
	c.State.Peers = append(c.State.Peers, p)
	return p
}

// Leave takes away a viewer, any of them.
func (c *Crowd) Leave() planner.Peer {
	for {
		i := c.rng.IntN(len(c.State.Peers))
		if p := c.State.Peers[i]; p.Role == tuber.RoleViewer {
			last := len(c.State.Peers) - 1
			c.State.Peers[i] = c.State.Peers[last]
			c.State.Peers = c.State.Peers[:last]
			return p
		}
	}
}

// peer has a name instead of a key pair: plans check no keys.
func (c *Crowd) peer(role tuber.Role, upload tuber.BitsPerSecond, reach tuber.Reach) planner.Peer {
	c.made++
	var seed [16]byte
	binary.BigEndian.PutUint64(seed[:], c.made)
	binary.BigEndian.PutUint64(seed[8:], c.rng.Uint64())
	key := tuber.PublicKey(sha256.Sum256(seed[:]))
	return planner.Peer{
		ID: key.PeerID(), Key: key, Role: role, Upload: upload,
		Since: Now.Add(-time.Duration(c.rng.IntN(1800)) * time.Second),
		Means: tuber.Means{Upload: upload, Reach: reach, Relay: true, Quota: 1 << 30},
	}
}

const filled = 0.95 // of an uplink, as the planner has it

// Gives is what a stream of this rate may ask of p's uplink at most, in payload.
func Gives(p *planner.Peer, rate float64) float64 {
	u := filled * float64(p.Upload)
	if p.Role == tuber.RoleViewer {
		if r := p.Means.Reach; r == tuber.ReachSymmetric || r == tuber.ReachNone {
			return 0
		}
		u = min(u, givesAtMost*rate)
	}
	return u
}
