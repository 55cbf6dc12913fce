package tuber

import "time"

// Reason says why a booster does not send, in the order in which it is shown:
// the first that holds wins (design section 9).
type Reason string

const (
	ReasonNone      Reason = ""
	ReasonPaused    Reason = "paused by you"
	ReasonAllowance Reason = "the monthly allowance is used up"
	ReasonSchedule  Reason = "outside the schedule"
	ReasonMetered   Reason = "the line is metered"
	ReasonBattery   Reason = "running on battery"
	ReasonError     Reason = "an error"
)

// Limits are the owner's. The zero value is not a limit but nothing at all:
// start from DefaultLimits.
type Limits struct {
	Upload    BitsPerSecond `json:"upload"`    // hard, over all links
	Download  BitsPerSecond `json:"download"`  // hard, over all links
	Disk      uint64        `json:"disk"`      // bytes that the chunk files may take
	Allowance uint64        `json:"allowance"` // bytes of upload a month, 0 for none
}

// DefaultLimits are what a friend gets without choosing.
func DefaultLimits() Limits {
	return Limits{Upload: 5e6, Download: Unlimited, Disk: 10 << 30, Allowance: 100e9}
}

// Status is what an engine shows of itself.
type Status struct {
	Reason    Reason        `json:"reason,omitempty"`
	Until     time.Time     `json:"until,omitzero"` // when a pause ends by itself
	Upload    BitsPerSecond `json:"upload"`         // now
	Swarms    []SwarmStatus `json:"swarms,omitempty"`
	Reachable string        `json:"reachable,omitempty"` // in words; empty while it is not known
	Links     int           `json:"links"`
	Sent      uint64        `json:"sent"`     // bytes since the start
	Received  uint64        `json:"received"` // bytes received since the start
	Stored    uint64        `json:"stored"`   // bytes on disk
	Error     string        `json:"error,omitempty"`
}

// SwarmStatus is one membership.
type SwarmStatus struct {
	Host      string    `json:"host"`
	Site      PublicKey `json:"site"`
	Connected bool      `json:"connected"` // to its planner
	Peers     int       `json:"peers"`
	Sent      uint64    `json:"sent"`
	Stored    uint64    `json:"stored"`
	Error     string    `json:"error,omitempty"`
}

// HostStatus is what a host's dashboard and status line show.
type HostStatus struct {
	Viewers   int           `json:"viewers"`  // pages with a membership
	Boosters  int           `json:"boosters"` // linked to the planner now
	Peers     int           `json:"peers"`    // links of the origin's own peer
	FromPeers float64       `json:"fromPeers"`
	Upload    BitsPerSecond `json:"upload"`  // of the origin, everything counted, last interval
	Bitrate   BitsPerSecond `json:"bitrate"` // of all followed streams
	Short     BitsPerSecond `json:"short"`   // upload that boosters would have to add
	Planner   bool          `json:"planner"` // running
	Contents  []Content     `json:"contents,omitempty"`
	PeerList  []PeerStatus  `json:"peerList,omitempty"`
}

// PeerStatus is one peer as the dashboard shows it: no address, ever.
type PeerStatus struct {
	ID       PeerID        `json:"id"`
	Name     string        `json:"name,omitempty"`
	Role     Role          `json:"role"`
	Sent     uint64        `json:"sent"`     // bytes its receivers confirmed
	Received uint64        `json:"received"` // bytes it confirmed
	HTTP     uint64        `json:"http"`
	Upload   BitsPerSecond `json:"upload"`
	Since    time.Time     `json:"since"`
}
