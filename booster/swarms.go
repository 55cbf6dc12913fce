package booster

import (
	"context"
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
	b.settings = newSettings()
	if _, err := book.Setting(settingsName, &b.settings); err != nil {
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

func (b *Booster) save() error {
	b.mu.Lock()
	s := b.settings
	b.mu.Unlock()
	return b.book.PutSetting(settingsName, s)
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
		Site: invite.Site, Host: invite.Host, Prefix: invite.Prefix, Pin: invite.Pin,
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
	b.order = slices.DeleteFunc(b.order, func(s tuber.PublicKey) bool { return s == m.site })
	stop, done := m.stop, m.done
	b.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
	b.changed()
	return errors.Join(b.book.RemoveMembership(m.site), m.erase())
}

// quota is one swarm's part of the disk.
func (b *Booster) quota() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.quotaLocked()
}

func (b *Booster) quotaLocked() int64 {
	return int64(b.settings.Limits.Disk / uint64(max(1, len(b.swarms))))
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

// means is what every planner is told that this booster can give; each peer
// adds its reach.
func (b *Booster) means() tuber.Means {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.meansLocked()
}

func (b *Booster) meansLocked() tuber.Means {
	return tuber.Means{
		Upload: b.verdict.upload, Download: b.settings.Limits.Download,
		Quota: uint64(b.quotaLocked()), Relay: true,
	}
}

// name is what hosts see.
func (b *Booster) name() string {
	name := b.cfg.Name
	if name == "" {
		name, _ = os.Hostname() // a booster without a name is still one
	}
	return name[:min(len(name), wire.MaxName)]
}
