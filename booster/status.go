package booster

import (
	"errors"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/store"
)

// Status is what the owner is shown.
func (b *Booster) Status() tuber.Status {
	stats := b.stats()
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	r, v := &b.record, b.verdict
	st := tuber.Status{
		Reason: v.reason, Ask: v.ask, Until: v.until, Cap: v.cap, Second: v.second,
		Upload: tuber.BitsPerSecond(b.sent.speed), Download: tuber.BitsPerSecond(b.down.speed),
		Sent: b.sent.total, Received: b.received,
		Today: r.Sums.today(now), Month: r.spent(now), Resets: periodAfter(now, r.ResetDay).begins(now.Location()),
		Helped: r.Sums.helped(now), Proven: r.Proven, Facts: b.facts, Reach: b.reachLocked(), Reachable: b.reachableLocked(), Error: b.errorLocked(),
	}
	for _, site := range b.order {
		m := b.swarms[site]
		sw := b.swarmStatusLocked(m, stats[site], now)
		st.Links += sw.Peers
		st.Stored += sw.Stored
		if st.Error == "" {
			st.Error = m.folderTrouble()
		}
		st.Swarms = append(st.Swarms, sw)
	}
	return st
}

func (b *Booster) swarmStatusLocked(m *membership, s peer.SwarmStats, now time.Time) tuber.SwarmStatus {
	site, kept := m.site, b.record.Swarms[m.site]
	sw := tuber.SwarmStatus{
		Host: m.host(), Name: m.current().Name, Site: site, Connected: s.Connected, Pending: m.pending(), Share: b.record.share(site),
		Peers: len(s.Links), Sent: m.meters.sent.total, Received: m.meters.received,
		Upload: tuber.BitsPerSecond(m.meters.sent.speed), Download: tuber.BitsPerSecond(m.meters.down.speed),
	}
	none := 0
	sw.Helped = &none
	if kept != nil {
		sw.Paused, sw.Until = kept.Paused, kept.Until
		sw.Helped = kept.Sums.helped(now)
		sw.Today, sw.Month = kept.Sums.today(now), kept.Sums.month(now, b.record.ResetDay)
	}
	if chunks := m.store(); chunks != nil {
		sw.Stored = uint64(chunks.Stored())
		if err := chunks.Full(); err != nil {
			sw.Error = err.Error()
		}
	}
	if err := m.trouble(); err != nil && !s.Connected {
		sw.Error = err.Error()
	}
	return sw
}

// errorLocked is what is wrong with the engine itself.
func (b *Booster) errorLocked() string {
	for _, err := range []error{b.unsaved, b.fault} {
		if err != nil {
			return err.Error()
		}
	}
	return ""
}

// folderTrouble is why chunks cannot be kept where the owner wants them.
func (m *membership) folderTrouble() string {
	var trouble *store.FolderError
	if s := m.store(); s != nil && errors.As(s.Full(), &trouble) {
		return trouble.Error()
	}
	return ""
}

func (m *membership) trouble() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// pending tells whether the host has not answered the invite yet.
func (m *membership) pending() bool { return m.current().Invite != tuber.Invite{} }
