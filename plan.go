package tuber

import "time"

// Version orders the plans of one planner epoch; peers ignore an older plan.
type Version uint64

// Priority orders what a sender owes: a higher one goes first.
type Priority uint8

// Assignment: send these partitions of a content to a peer.
type Assignment struct {
	Content    ContentID     `json:"content"`
	Partitions Partitions    `json:"partitions"`
	To         PeerID        `json:"to"`
	Rate       BitsPerSecond `json:"rate"` // payload that these partitions carry
	Priority   Priority      `json:"priority"`
}

// Source is an assignment as its receiver sees it: who will send, or, on
// standby, who may be asked for what does not come.
type Source struct {
	Content    ContentID  `json:"content"`
	Partitions Partitions `json:"partitions"`
	From       PeerID     `json:"from"`
	Standby    bool       `json:"standby,omitempty"`
}

// Hold is what a booster's store is for.
type Hold struct {
	Content    ContentID     `json:"content"`
	Partitions Partitions    `json:"partitions"`
	Window     time.Duration `json:"window"` // how far back to keep, nanoseconds
	Priority   Priority      `json:"priority"`
}

// Introduction tells a peer to link to another one.
type Introduction struct {
	Peer  PeerID    `json:"peer"`
	Key   PublicKey `json:"key"` // proved by the other's hello
	Role  Role      `json:"role"`
	Offer bool      `json:"offer"` // this side makes the offer
}

// PeerPlan is the part of a plan that one peer carries out. It replaces the
// one before it whole.
type PeerPlan struct {
	Epoch         Epoch          `json:"epoch"` // of the planner
	Version       Version        `json:"version"`
	Assignments   []Assignment   `json:"assignments,omitempty"`
	Sources       []Source       `json:"sources,omitempty"`
	Holds         []Hold         `json:"holds,omitempty"`
	Introductions []Introduction `json:"introductions,omitempty"`
	Grants        []Grant        `json:"grants,omitempty"`
	Cell          int            `json:"cell,omitempty"` // the planner's own; a peer that rejoins brings it
}

// Grant is the rate at which a viewer's player may be answered for a content;
// the zero id stands for every content that has no grant of its own.
type Grant struct {
	Content ContentID     `json:"content"`
	Rate    BitsPerSecond `json:"rate"`
}

// Newer tells whether p replaces old.
func (p *PeerPlan) Newer(old *PeerPlan) bool {
	if p.Epoch != old.Epoch {
		return p.Epoch > old.Epoch
	}
	return p.Version > old.Version
}

// Plan is the planner's whole answer at one moment.
type Plan struct {
	Epoch   Epoch
	Version Version
	Peers   map[PeerID]*PeerPlan
	Short   []Shortage
}

// Shortage says what the swarm's means do not suffice for.
type Shortage struct {
	Content ContentID
	Missing BitsPerSecond // upload that boosters would have to add
	Viewers int           // viewers not fully served by peers
}

// Reach is how a peer can be linked to.
type Reach string

const (
	ReachUnknown   Reach = ""          // treated as punchable
	ReachDialable  Reach = "dialable"  // anyone can dial its port
	ReachPunchable Reach = "punchable" // a mapping that does not depend on the destination
	ReachSymmetric Reach = "symmetric" // only dialable peers can link to it
	ReachNone      Reach = "none"      // no UDP at all
)

// Range is what a peer says it has of a content: numbers First to Next-1 of the partitions.
type Range struct {
	Content    ContentID   `json:"content"`
	Partitions Partitions  `json:"partitions"`
	First      ChunkNumber `json:"first"`
	Next       ChunkNumber `json:"next"`
}

// LinkReport is what one peer says of one neighbour over the last interval.
type LinkReport struct {
	Peer     PeerID        `json:"peer"`
	Sent     uint64        `json:"sent"`              // payload bytes given to the link
	Received uint64        `json:"received"`          // payload bytes verified
	Late     uint32        `json:"late,omitempty"`    // chunks that came after they were asked elsewhere
	RTT      time.Duration `json:"rtt,omitempty"`     // nanoseconds; 0 if unknown
	Queue    time.Duration `json:"behind,omitempty"`  // how far the neighbour is behind, nanoseconds
	Bad      bool          `json:"bad,omitempty"`     // it sent a chunk that failed verification
	Failed   bool          `json:"failed,omitempty"`  // the link could not be opened, or broke
	Since    time.Duration `json:"since,omitempty"`   // age of the link, nanoseconds
	Blame    *Blame        `json:"blame,omitempty"`   // which chunk was bad
	Repairs  uint32        `json:"repairs,omitempty"` // chunks asked of it for repair
	Twice    uint64        `json:"twice,omitempty"`   // payload bytes of chunks that were here already
	Busy     time.Duration `json:"busy,omitempty"`    // for how long something waited to be sent, nanoseconds
}

// Blame names the chunk that a neighbour falsified.
type Blame struct {
	Content ContentID   `json:"content"`
	Number  ChunkNumber `json:"number"`
}

// Report is what a peer tells the planner every ReportEvery. Bytes are payload.
type Report struct {
	Interval time.Duration `json:"interval"` // nanoseconds that the figures cover
	Links    []LinkReport  `json:"links,omitempty"`
	Ranges   []Range       `json:"ranges,omitempty"`
	HTTP     uint64        `json:"http,omitempty"`   // bytes a viewer had to fetch by HTTP
	Stalls   uint32        `json:"stalls,omitempty"` // times the player ran dry
	Latency  time.Duration `json:"latency,omitempty"`
	Stored   uint64        `json:"stored,omitempty"` // bytes on disk
}

// Means is what a peer can give, as itself or its owner declares it.
type Means struct {
	Upload   BitsPerSecond `json:"upload"` // the cap; 0 gives nothing
	Download BitsPerSecond `json:"download,omitempty"`
	Links    int           `json:"links,omitempty"` // at most, 0 for MaxLinks
	Quota    uint64        `json:"quota,omitempty"` // bytes of disk
	Reach    Reach         `json:"reach,omitempty"`
	Relay    bool          `json:"relay"` // may be introduced to viewers that are not trusted
}
