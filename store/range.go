package store

import (
	"cmp"
	"slices"

	"github.com/tubercdn/tuber"
)

// span is one run and which of its partitions are held whole.
type span struct {
	first, next tuber.ChunkNumber
	present     tuber.Partitions // of which the run has any chunk
	whole       tuber.Partitions // of these, the ones held whole
}

// Range is what is held of a content, for neighbours to ask by: the partitions
// held near the newest number, back to where more than one run in a row is
// missing. A single damaged run inside it is found out by asking.
func (s *Store) Range(c tuber.ContentID) (tuber.Range, bool) {
	k, spans := s.spans(c)
	if len(spans) == 0 {
		return tuber.Range{}, false
	}
	r := tuber.Range{Content: c}
	for i := len(spans) - 1; i >= 0; i-- {
		sp := spans[i]
		if r.Next != 0 && r.Next-sp.first > tuber.ChunkNumber(4*tuber.MaxRun) {
			break
		}
		if sp.whole != 0 && r.Next == 0 {
			r.Next = sp.next
		}
		r.Partitions |= sp.whole
		if r.Partitions == tuber.AllPartitions(k) {
			break
		}
	}
	if r.Partitions == 0 {
		return tuber.Range{}, false
	}
	r.First = r.Next
	below, size, misses := r.Next, tuber.ChunkNumber(0), 0
	for _, sp := range slices.Backward(spans) {
		if sp.first >= r.Next {
			continue
		}
		hole := below - min(below, sp.next) // numbers of runs that are not even known
		size = max(size, sp.next-sp.first)
		if hole > 0 {
			misses++
		}
		want := sp.present & r.Partitions
		whole := sp.whole&want == want
		if !whole {
			misses++
		}
		if misses > 1 || hole > size {
			break
		}
		if whole && want != 0 {
			r.First, misses = sp.first, 0
		}
		below, size = sp.first, sp.next-sp.first
	}
	return r, r.First < r.Next
}

// spans lists the runs of a content in memory and on disk, ascending, and k.
func (s *Store) spans(c tuber.ContentID) (int, []span) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.dropped[c] {
		return 0, nil
	}
	k := s.k[c]
	byFirst := map[tuber.ChunkNumber]span{}
	if ct := s.contents[c]; ct != nil {
		k = ct.k
		for _, e := range ct.manifests {
			if m := e.m.Manifest(); partitions(k) {
				byFirst[m.First] = s.spanOf(m, k)
			}
		}
	}
	if s.disk != nil {
		k = s.disk.spans(c, k, byFirst)
	}
	out := make([]span, 0, len(byFirst))
	for _, sp := range byFirst {
		out = append(out, sp)
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	return k, out
}

func (s *Store) spanOf(m *tuber.Manifest, k int) span {
	sp := span{first: m.First, next: m.Next(), present: present(m, k)}
	sp.whole = s.whole(m, k, sp.present)
	return sp
}

// spans adds what is on disk, and returns the content's k as the disk knows it
// if k is 0.
func (d *Disk) spans(c tuber.ContentID, k int, into map[tuber.ChunkNumber]span) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, e := range d.index[c] {
		if k == 0 {
			k = e.k
		}
		if e.k != k {
			continue
		}
		sp, known := into[e.first]
		if !known {
			sp = span{first: e.first, next: e.next()}
			for n := e.first; n < e.next() && n < e.first+tuber.MaxPartitions; n++ {
				sp.present |= 1 << n.Partition(k)
			}
		}
		sp.whole |= e.parts
		into[e.first] = sp
	}
	return k
}
