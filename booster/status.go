package booster

import (
	"github.com/tubercdn/tuber"
)

// Status is what the owner is shown.
func (b *Booster) Status() tuber.Status {
	stats := b.stats()
	b.mu.Lock()
	defer b.mu.Unlock()
	st := tuber.Status{
		Reason: b.verdict.reason, Until: b.verdict.until, Upload: b.speed, Sent: b.uplink.Total(), Error: b.err,
		Reachable: b.reachableLocked(),
	}
	for _, site := range b.order {
		m, s := b.swarms[site], stats[site]
		sw := tuber.SwarmStatus{Host: m.host(), Site: site, Connected: s.Connected, Peers: len(s.Links), Sent: s.Sent}
		if chunks := m.store(); chunks != nil {
			sw.Stored = uint64(chunks.Stored())
			if err := chunks.Full(); err != nil {
				sw.Error = err.Error()
			}
		}
		if err := m.trouble(); err != nil && !s.Connected {
			sw.Error = err.Error()
		}
		st.Links += sw.Peers
		st.Received += s.Received
		st.Stored += sw.Stored
		st.Swarms = append(st.Swarms, sw)
	}
	if st.Reason == tuber.ReasonNone && st.Error != "" {
		st.Reason = tuber.ReasonError
	}
	return st
}

func (m *membership) trouble() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}
