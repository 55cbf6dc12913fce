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
	ReasonVPN       Reason = "a VPN is on"
	ReasonError     Reason = "an error"
)

// Fact is what is known of the machine. What cannot be found out is unknown,
// never guessed.
type Fact string

const (
	FactUnknown Fact = ""
	FactYes     Fact = "yes"
	FactNo      Fact = "no"
)

// Facts are those that the rules look at.
type Facts struct {
	Battery Fact `json:"battery,omitempty"` // running on battery
	Metered Fact `json:"metered,omitempty"` // the line costs by the byte, or is guessed to
	VPN     Fact `json:"vpn,omitempty"`     // the way to the internet leads through a VPN
}

// Status is what an engine shows of itself. A nil figure is not known yet.
type Status struct {
	Reason   Reason        `json:"reason,omitempty"`
	Ask      bool          `json:"ask,omitempty"`    // Reason holds only until the owner has chosen
	Until    time.Time     `json:"until,omitzero"`   // when a pause ends by itself
	Cap      BitsPerSecond `json:"cap"`              // of upload, in force now
	Second   bool          `json:"second,omitempty"` // Cap is the schedule's second one
	Upload   BitsPerSecond `json:"upload"`           // now
	Download BitsPerSecond `json:"download"`         // now
	Sent     uint64        `json:"sent"`             // bytes since the start
	Received uint64        `json:"received"`         // bytes since the start
	Today    uint64        `json:"today"`            // bytes sent since midnight
	Month    uint64        `json:"month"`            // bytes sent of the allowance
	Resets   time.Time     `json:"resets,omitzero"`  // when the allowance begins anew
	Helped   *int          `json:"helped,omitempty"` // peers that were sent something today
	Stored   uint64        `json:"stored"`           // bytes on disk
	Links    int           `json:"links"`
	Proven   BitsPerSecond `json:"proven,omitempty"` // the most upload that receivers confirmed; 0: not known yet
	Facts    Facts         `json:"facts,omitzero"`
	Reach    ReachStatus   `json:"reach,omitzero"`
	Swarms   []SwarmStatus `json:"swarms,omitempty"`
	Error    string        `json:"error,omitempty"`

	Reachable string `json:"reachable,omitempty"` // Reach in words; empty while it is not known
}

// ReachStatus is how others get to this peer.
type ReachStatus struct {
	Reach   Reach  `json:"reach,omitempty"`
	Port    uint16 `json:"port,omitempty"`    // UDP, on this machine
	Mapping string `json:"mapping,omitempty"` // how the router was asked: "UPnP", "NAT-PMP", "off"; empty while it is not mapped
	Trouble string `json:"trouble,omitempty"` // why it is not mapped
	Seen    string `json:"seen,omitempty"`    // this peer's address as STUN saw it: for its owner alone
}

// SwarmStatus is one membership.
type SwarmStatus struct {
	Host      string        `json:"host"`
	Name      string        `json:"name,omitempty"` // what the host calls itself
	Site      PublicKey     `json:"site"`
	Connected bool          `json:"connected"`         // to its planner
	Pending   bool          `json:"pending,omitempty"` // the invite was not answered yet
	Paused    bool          `json:"paused,omitempty"`
	Until     time.Time     `json:"until,omitzero"`  // when that pause ends by itself
	Share     int           `json:"share,omitempty"` // percent of the cap at most; 0: all
	Peers     int           `json:"peers"`
	Upload    BitsPerSecond `json:"upload"`   // now
	Download  BitsPerSecond `json:"download"` // now
	Sent      uint64        `json:"sent"`
	Received  uint64        `json:"received"`
	Today     uint64        `json:"today"`
	Month     uint64        `json:"month"`
	Helped    *int          `json:"helped,omitempty"` // peers that were sent something today
	Stored    uint64        `json:"stored"`
	Error     string        `json:"error,omitempty"`
}

// Event is one line of the activity log. Host is remote text.
type Event struct {
	At   time.Time `json:"at"`
	Kind EventKind `json:"kind"`
	Host string    `json:"host,omitempty"`
	Text string    `json:"text,omitempty"` // a Reason or an error, without addresses
}

// EventKind says what happened.
type EventKind string

const (
	EventStarted  EventKind = "started"
	EventJoined   EventKind = "joined"   // enrolled with a host
	EventLeft     EventKind = "left"     // by the owner
	EventLinked   EventKind = "linked"   // to the host's planner
	EventAway     EventKind = "away"     // the host does not answer; Text says why
	EventRefused  EventKind = "refused"  // by the host; Text is its sentence
	EventStopped  EventKind = "stopped"  // sending; Text is the Reason
	EventSending  EventKind = "sending"  // again
	EventSettings EventKind = "settings" // were changed
	EventFault    EventKind = "fault"    // of the engine; Text is the error
)

// MaxEvents is how many an engine keeps.
const MaxEvents = 500
