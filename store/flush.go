package store

import (
	"cmp"
	"errors"
	"slices"

	"github.com/tubercdn/tuber"
)

// wantedLocked tells whether a hold names chunk n.
func (s *Store) wantedLocked(c tuber.ContentID, n tuber.ChunkNumber) bool {
	if s.disk == nil {
		return false
	}
	h, ok := s.holds[c]
	return ok && h.Partitions.Has(n.Partition(s.k[c]))
}

// job is a run with the held partitions that the disk should have of it.
type job struct {
	m     *tuber.SignedManifest
	k     int
	parts tuber.Partitions
}

// Flush writes every complete held run that is not on disk, one commit each.
// When it returns nil, all of them are durable.
func (s *Store) Flush() error {
	if s.disk == nil {
		return nil
	}
	var errs []error
	for _, j := range s.ready() {
		err := s.disk.Write(j.m, j.k, j.parts, s.ring.Get)
		if err == nil {
			s.done(j)
			continue
		}
		errs = append(errs, err)
		if s.disk.Full() != nil {
			break // the next one would fare no better
		}
	}
	return errors.Join(errs...)
}

func (s *Store) done(j job) {
	m := j.m.Manifest()
	s.mu.Lock()
	defer s.mu.Unlock()
	if ct := s.contents[m.Content]; ct != nil {
		if i := ct.find(m.First); i < len(ct.manifests) && ct.manifests[i].m == j.m {
			ct.manifests[i].done |= j.parts
		}
	}
}

// patience is how long a run waits for its last chunks; then the partitions that
// are whole are written without the others, before the ring forgets them.
const patience = DefaultRingAge / 2

// ready lists the runs of which every held partition is whole in memory or on
// disk already, and at least one is not on disk. The list is taken under the
// lock, the work is done outside it.
func (s *Store) ready() []job {
	now := s.opts.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []job
	for c, h := range s.holds {
		ct := s.contents[c]
		if ct == nil {
			continue
		}
		k := s.k[c]
		for _, e := range ct.manifests {
			m := e.m.Manifest()
			want := present(m, k) & h.Partitions &^ e.done &^ s.disk.Partitions(c, m.First)
			if want == 0 {
				continue
			}
			whole := s.whole(m, k, want)
			if whole == want || (whole != 0 && now.Sub(e.at) > patience) {
				out = append(out, job{m: e.m, k: k, parts: whole})
			}
		}
	}
	slices.SortFunc(out, func(a, b job) int { // what matters most goes first: the disk may fill
		x, y := a.m.Manifest(), b.m.Manifest()
		return cmp.Or(cmp.Compare(s.holds[y.Content].Priority, s.holds[x.Content].Priority),
			slices.Compare(x.Content[:], y.Content[:]), cmp.Compare(x.First, y.First))
	})
	return out
}

// whole is those of the partitions of which the ring has every chunk of the run.
func (s *Store) whole(m *tuber.Manifest, k int, parts tuber.Partitions) tuber.Partitions {
	for n := m.First; n < m.Next() && parts != 0; n++ {
		if p := n.Partition(k); parts.Has(p) && !s.ring.Has(m.Content, n) {
			parts &^= 1 << p
		}
	}
	return parts
}

// present is the set of partitions of which the run has any chunk.
func present(m *tuber.Manifest, k int) tuber.Partitions {
	var parts tuber.Partitions
	for n := m.First; n < m.Next() && n < m.First+tuber.MaxPartitions; n++ {
		parts |= 1 << n.Partition(k)
	}
	return parts
}

// Sweep forgets what is old: chunks past the ring's age, manifests that expired
// or of which nothing is held, contents of which nothing is left. On disk it
// deletes what expired and what no hold has named for a while.
func (s *Store) Sweep() {
	s.ring.Trim()
	now := s.opts.Now()
	s.mu.Lock()
	for c, ct := range s.contents {
		ct.manifests = slices.DeleteFunc(ct.manifests, func(e known) bool {
			m := e.m.Manifest()
			return m.Expires < tuber.MillisOf(now) || (now.Sub(e.at) > manifestLife && !s.holdsAny(m))
		})
		stale := ct.update == nil || ct.update.Update().Expires+updateLife < tuber.MillisOf(now)
		if _, held := s.holds[c]; !held && stale && len(ct.manifests) == 0 {
			delete(s.contents, c)
		}
	}
	var dropped []tuber.ContentID
	for c := range s.dropped {
		dropped = append(dropped, c)
	}
	s.mu.Unlock()
	if s.disk == nil {
		return
	}
	for _, c := range dropped {
		s.dropFromDisk(c)
	}
	if err := s.disk.Sweep(); err != nil {
		s.opts.Log.Warn("expired chunks are still on disk", "err", err)
	}
}

// updateLife is how long an expired update is remembered, in milliseconds:
// until then it still tells an older one from a newer one.
const updateLife = 10 * 60 * 1000

// holdsAny tells whether the ring has any chunk of the run.
func (s *Store) holdsAny(m *tuber.Manifest) bool {
	for n := m.First; n < m.Next(); n++ {
		if s.ring.Has(m.Content, n) {
			return true
		}
	}
	return false
}
