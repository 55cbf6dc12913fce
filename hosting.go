package tuber

import "time"

// HostStatus is what a host's dashboard and status line show.
type HostStatus struct {
	Viewers   int           `json:"viewers"`  // pages with a membership: one of each browser profile
	Tabs      int           `json:"tabs"`     // of these profiles, as their pages say
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
	Tabs     int           `json:"tabs,omitempty"` // of a viewer that says so
}

// HostState is everything that the owner of a host is shown.
type HostState struct {
	HostStatus
	Enabled     bool           `json:"enabled"`           // false: the kill switch is off
	Missing     string         `json:"missing,omitempty"` // one sentence about means that do not suffice
	BoosterList []HostBooster  `json:"boosterList"`
	Invites     []InviteRecord `json:"invites"`
	Site        string         `json:"site"`             // address of the public site
	Mapping     ReachStatus    `json:"mapping,omitzero"` // of the UDP port
}

// HostBooster is an enrolled booster as its host sees it.
type HostBooster struct {
	ID        PeerID        `json:"id"`
	Name      string        `json:"name"`
	Linked    bool          `json:"linked"` // to the planner, now
	Delivered uint64        `json:"delivered"`
	Upload    BitsPerSecond `json:"upload"`
	Enrolled  time.Time     `json:"enrolled"`
	Seen      time.Time     `json:"seen,omitzero"`
	Invite    string        `json:"invite,omitempty"`
}

// Offer is what an invite is to be good for.
type Offer struct {
	Uses int           `json:"uses"` // 0 for one
	Life time.Duration `json:"life"` // nanoseconds, 0 for InviteLife
	Note string        `json:"note,omitempty"`
}

// Invited is a fresh invite, shown once: only its hash is kept.
type Invited struct {
	ID      string    `json:"id"`
	URL     string    `json:"url"`
	AppURL  string    `json:"appURL"`
	Expires time.Time `json:"expires"`
	Uses    int       `json:"uses"`
}

// HostSetup is what the window asks of somebody who wants to host. One of
// Upstream and Folder is set.
type HostSetup struct {
	Upstream string        `json:"upstream,omitempty"` // address of the site, such as http://127.0.0.1:8000
	Folder   string        `json:"folder,omitempty"`   // to serve without a web server
	Name     string        `json:"name,omitempty"`     // what friends see
	Public   string        `json:"public,omitempty"`   // name or address by which the world knows this machine
	Listen   string        `json:"listen,omitempty"`   // of the public site; empty: the usual one
	Uplink   BitsPerSecond `json:"uplink,omitempty"`   // of the line; 0: not declared
	// OuterHTTPS says that visitors come by https through a proxy or tunnel,
	// which has the certificate for Public. Proxy is its address, or a prefix of
	// them; empty: it runs on this machine.
	OuterHTTPS bool   `json:"outerHTTPS,omitempty"`
	Proxy      string `json:"proxy,omitempty"`
}
