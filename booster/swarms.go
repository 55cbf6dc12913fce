package booster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/store"
	"github.com/tubercdn/tuber/wire"
)

const settingsName = "booster"

// openBook takes the directory: who holds the book holds it all, and the error
// names who does.
func (b *Booster) openBook() error {
	book, err := store.OpenBook(store.BookOptions{Path: filepath.Join(b.cfg.Dir, "book.db"), Log: b.log})
	if err != nil {
		return err
	}
	b.book = book
	if b.key, err = book.Key("peer"); err != nil {
		return err
	}
	if err := b.openRecord(); err != nil {
		return err
	}
	records, err := book.Memberships()
	if err != nil {
		return err
	}
	slices.SortFunc(records, func(x, y tuber.MembershipRecord) int { return x.Joined.Compare(y.Joined) })
	for _, r := range records {
		b.swarms[r.Site] = newMembership(b, r)
		b.order = append(b.order, r.Site)
	}
	return nil
}

// openRecord reads the owner's settings. Those that cannot be used are set
// aside in the book, and the defaults hold.
func (b *Booster) openRecord() error {
	b.record = record{Settings: b.defaults()}
	var text json.RawMessage
	ok, err := b.book.Setting(settingsName, &text)
	if err == nil && !ok {
		return nil
	}
	if err == nil {
		var r record
		if r, err = readRecord(text); err == nil {
			b.record = r
			return nil
		}
	}
	if again := b.book.SetAside(settingsName); again != nil {
		return errors.Join(err, again)
	}
	b.log.Warn("the settings were damaged; they were set aside, and the defaults hold", "error", err)
	b.note(errDamagedSettings)
	return nil
}

// errDamagedSettings is what the owner is told.
var errDamagedSettings = errors.New("the settings were damaged: they were set aside, and the defaults hold; look through them and save them again")

// save writes the record down and keeps why that failed.
func (b *Booster) save() error {
	b.mu.Lock()
	text, err := json.Marshal(&b.record)
	b.mu.Unlock()
	if err == nil {
		err = b.book.PutSetting(settingsName, json.RawMessage(text))
	}
	b.mu.Lock()
	news := (err == nil) != (b.unsaved == nil)
	b.unsaved = err
	b.mu.Unlock()
	if err != nil && news {
		b.events.add(tuber.EventFault, "", tuber.Scrub(err.Error()))
	}
	return err
}

// Join joins the swarm of an invite, once Run runs. It waits a little for the
// host: nil means that it enrolled this booster, ErrOffline that it did not
// answer yet, and any other error that nothing was joined.
func (b *Booster) Join(ctx context.Context, text string) error {
	invite, err := tuber.ParseInvite(text)
	if err != nil {
		return err
	}
	wait := time.NewTimer(answerWithin)
	defer wait.Stop()
	select {
	case <-b.ready:
	case <-wait.C: // enter says that nothing runs
	case <-ctx.Done():
		return ctx.Err()
	}
	m, before, err := b.enter(invite)
	if err != nil {
		return err
	}
	select {
	case err := <-m.answers:
		switch {
		case err == nil && before != nil && before.untroubled:
			return fmt.Errorf("%s: %w", invite.Host, ErrJoined)
		case err == nil || worthAsking(err):
			return err
		case before != nil:
			_, back := b.replace(m, before.record, nil)
			return errors.Join(plainly(err), back)
		}
		return errors.Join(plainly(err), b.drop(m))
	case <-wait.C:
		return fmt.Errorf("%s does not answer: %w", invite.Host, ErrOffline)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// plainly is the host's own sentence, if it gave one.
func plainly(err error) error {
	var refused *control.RefusedError
	if errors.As(err, &refused) && refused.Code == wire.CodeInvite && refused.Sentence != "" {
		return errors.New(refused.Sentence)
	}
	return err
}

// replaced is a membership in whose place an invite came.
type replaced struct {
	record     tuber.MembershipRecord
	untroubled bool // nothing was wrong with it so far: it had only just begun
}

// enter writes the membership down and starts it. Where there is one without a
// session, the host forgot this booster or moved: the invite takes its place,
// what is kept of the swarm stays, and what was there before is returned.
func (b *Booster) enter(invite tuber.Invite) (m *membership, before *replaced, err error) {
	r := tuber.MembershipRecord{
		Site: invite.Site, Host: invite.Host, Name: invite.Name, Prefix: invite.Prefix, Pin: invite.Pin,
		Joined: time.Now().Round(0), Invite: invite,
	}
	connected := b.stats()[invite.Site].Connected
	b.mu.Lock()
	if b.running == nil {
		b.mu.Unlock()
		return nil, nil, errors.New("join: the booster does not run")
	}
	if old := b.swarms[invite.Site]; old != nil {
		b.mu.Unlock()
		was := old.current()
		if connected || was.Invite == invite {
			return nil, nil, fmt.Errorf("%s: %w", was.Host, ErrJoined)
		}
		r.Joined = was.Joined
		before = &replaced{was, old.trouble() == nil}
		m, err := b.replace(old, r, make(chan error, 1))
		return m, before, err
	}
	defer b.mu.Unlock()
	if err := b.book.AddMembership(r); err != nil {
		return nil, nil, err
	}
	m = newMembership(b, r)
	m.answers = make(chan error, 1)
	b.swarms[r.Site] = m
	b.order = append(b.order, r.Site)
	b.startLocked(m)
	b.changed()
	return m, nil, nil
}

// replace ends a membership and begins another one of the same swarm.
func (b *Booster) replace(old *membership, r tuber.MembershipRecord, answers chan error) (*membership, error) {
	m := newMembership(b, r)
	m.answers = answers
	b.mu.Lock()
	m.meters, m.uplink = old.meters, old.uplink
	if b.swarms[r.Site] != old || b.running == nil {
		b.mu.Unlock()
		return nil, errors.New("join: the swarm was just left; join again")
	}
	b.swarms[r.Site] = m
	stop, done := old.stop, old.done
	b.mu.Unlock()
	stop()
	<-done
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.swarms[r.Site] != m || b.running == nil {
		return nil, errors.New("join: the swarm was just left; join again")
	}
	b.startLocked(m)
	b.changed()
	return m, b.book.AddMembership(r)
}

// Leave ends a membership for good: the host is told to forget this booster,
// and all that was kept for it is deleted.
func (b *Booster) Leave(site tuber.PublicKey) error {
	b.mu.Lock()
	m := b.swarms[site]
	b.mu.Unlock()
	if m == nil {
		return ErrUnknown
	}
	if p := b.peerOf(m); p != nil {
		// A host that cannot be told now finds a booster that never comes back.
		_ = p.Leave(site, true)
	}
	b.log.Info("leaving the swarm", "host", m.host())
	b.events.add(tuber.EventLeft, m.host(), "")
	return b.drop(m)
}

// drop stops a membership and deletes it and its chunks.
func (b *Booster) drop(m *membership) error {
	b.mu.Lock()
	if b.swarms[m.site] != m {
		b.mu.Unlock()
		return nil // another call was first
	}
	delete(b.swarms, m.site)
	delete(b.record.Swarms, m.site)
	b.order = slices.DeleteFunc(b.order, func(s tuber.PublicKey) bool { return s == m.site })
	stop, done := m.stop, m.done
	b.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
	b.changed()
	return errors.Join(b.book.RemoveMembership(m.site), m.erase(), b.save())
}

// quota is one swarm's part of the disk.
func (b *Booster) quota() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.quotaLocked()
}

func (b *Booster) quotaLocked() int64 {
	return int64(b.record.Limits.Disk / uint64(max(1, len(b.swarms))))
}

// share gives every store its part of the disk.
func (b *Booster) share() {
	b.mu.Lock()
	quota := b.quotaLocked()
	var all []*membership
	for _, m := range b.swarms {
		all = append(all, m)
	}
	b.mu.Unlock()
	for _, m := range all {
		if s := m.store(); s != nil {
			if err := s.SetQuota(quota); err != nil {
				m.problem(fmt.Errorf("change the disk quota: %w", err))
			}
		}
	}
}

func (m *membership) store() *store.Store {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.chunks
}

// means is what the swarm's planner is told that this booster can give; the
// peer adds its reach.
func (b *Booster) means(site tuber.PublicKey) tuber.Means {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.meansLocked(site)
}

func (b *Booster) meansLocked(site tuber.PublicKey) tuber.Means {
	upload := tuber.InPayload(ofCap(b.verdict.upload(), b.record.share(site)))
	if kept := b.record.Swarms[site]; kept != nil && kept.Paused {
		upload = 0
	}
	return tuber.Means{
		Upload: upload, Download: b.record.Limits.Download, Quota: uint64(b.quotaLocked()), Relay: true,
	}
}

// name is what hosts see.
func (b *Booster) name() string {
	name := b.cfg.Name
	if name == "" {
		name, _ = os.Hostname() // a booster without a name is still one
	}
	return name[:min(len(name), tuber.MaxName)]
}
