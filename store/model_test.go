package store

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tubercdn/tuber"
)

// model is what a store should hold: nothing but maps.
type model struct {
	ring    map[modelChunk]time.Time // when it was put
	durable map[modelChunk]bool
	known   map[int]bool // manifests in memory, by run
	holds   map[tuber.ContentID]tuber.Partitions
}

type modelChunk struct {
	c tuber.ContentID
	n tuber.ChunkNumber
}

const modelK = 2

// TestModel runs random operations against the store and the model. After each
// one every chunk is what the model says, byte by byte.
func TestModel(t *testing.T) {
	clk0 := newClock()
	contents := []tuber.ContentID{contentID("a"), contentID("b")}
	var runs []run
	for i := range 12 {
		runs = append(runs, makeRun(t, contents[i%2], tuber.ChunkNumber(i/2*4), 1+i%4, clk0.in(time.Duration(1+i%3)*time.Hour)))
	}
	dir := t.TempDir()
	files := 0
	rapid.Check(t, func(rt *rapid.T) {
		clk := newClock()
		files++
		path := filepath.Join(dir, string(rune('a'+files%26))+time.Now().Format("150405.000000000"))
		open := func() *Store {
			s, err := New(Options{Path: path, Site: testSite, Now: clk.Now})
			if err != nil {
				rt.Fatalf("open: %v", err)
			}
			return s
		}
		s := open()
		defer func() { _ = s.Close() }()
		m := &model{ring: map[modelChunk]time.Time{}, durable: map[modelChunk]bool{}, known: map[int]bool{}, holds: map[tuber.ContentID]tuber.Partitions{}}
		pick := func() int { return rapid.IntRange(0, len(runs)-1).Draw(rt, "run") }
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { m.compare(rt, s, runs, clk.Now()) },
			"put": func(rt *rapid.T) {
				i := pick()
				for _, v := range runs[i].chunks {
					if rapid.IntRange(0, 9).Draw(rt, "lost") == 0 {
						continue
					}
					key := modelChunk{v.Content(), v.Number()}
					_, inRing := m.ring[key]
					got, err := s.Put(v)
					if want := !inRing && !m.durable[key]; err != nil || got != want {
						rt.Fatalf("put %v: got %v, %v, want %v", key, got, err, want)
					}
					if got {
						m.ring[key] = clk.Now()
					}
				}
			},
			"manifest": func(rt *rapid.T) {
				i := pick()
				man := runs[i].m.Manifest()
				s.AddManifest(runs[i].m)
				m.known[i] = m.known[i] || man.Expires >= tuber.MillisOf(clk.Now())
			},
			"holds": func(rt *rapid.T) {
				m.holds = map[tuber.ContentID]tuber.Partitions{}
				ks := map[tuber.ContentID]int{}
				var holds []tuber.Hold
				for _, c := range contents {
					ks[c] = modelK
					if p := tuber.Partitions(rapid.IntRange(0, 3).Draw(rt, "parts")); p != 0 {
						m.holds[c] = p
						holds = append(holds, tuber.Hold{Content: c, Partitions: p})
					}
				}
				s.SetHolds(ks, holds)
			},
			"flush": func(rt *rapid.T) {
				if err := s.Flush(); err != nil {
					rt.Fatalf("flush: %v", err)
				}
				m.flush(runs)
			},
			"drop": func(rt *rapid.T) {
				c := rapid.SampledFrom(contents).Draw(rt, "content")
				s.Drop(c)
				m.drop(c, runs)
			},
			"time passes": func(rt *rapid.T) {
				clk.add(time.Duration(rapid.IntRange(1, 25).Draw(rt, "seconds")) * time.Second)
				s.ring.Trim()
				m.trim(clk.Now())
			},
			"reopen": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatalf("close: %v", err)
				}
				m.flush(runs)
				s = open()
				m.ring, m.known, m.holds = map[modelChunk]time.Time{}, map[int]bool{}, map[tuber.ContentID]tuber.Partitions{}
			},
			"compact": func(rt *rapid.T) {
				s.disk.w.Lock()
				err := s.disk.shrink()
				s.disk.w.Unlock()
				if err != nil {
					rt.Fatalf("compact: %v", err)
				}
			},
		})
	})
}

// flush moves what is held and whole to disk. Holds that want more partitions
// than are whole get nothing: patience is longer than the model's time steps
// make likely, so the model only demands what is certain.
func (m *model) flush(runs []run) {
	for i, r := range runs {
		parts, ok := m.holds[r.m.Manifest().Content]
		if !ok || !m.known[i] {
			continue
		}
		whole := true
		for _, v := range r.chunks {
			key := modelChunk{v.Content(), v.Number()}
			if _, inRing := m.ring[key]; parts.Has(v.Number().Partition(modelK)) && !inRing && !m.durable[key] {
				whole = false
			}
		}
		for _, v := range r.chunks {
			if whole && parts.Has(v.Number().Partition(modelK)) {
				m.durable[modelChunk{v.Content(), v.Number()}] = true
			}
		}
	}
}

func (m *model) drop(c tuber.ContentID, runs []run) {
	for key := range m.ring {
		if key.c == c {
			delete(m.ring, key)
		}
	}
	for key := range m.durable {
		if key.c == c {
			delete(m.durable, key)
		}
	}
	delete(m.holds, c)
	for i, r := range runs {
		if r.m.Manifest().Content == c {
			delete(m.known, i)
		}
	}
}

func (m *model) trim(now time.Time) {
	for key, at := range m.ring {
		if now.Sub(at) > DefaultRingAge {
			delete(m.ring, key)
		}
	}
}

func (m *model) compare(t *rapid.T, s *Store, runs []run, now time.Time) {
	for i, r := range runs {
		for _, v := range r.chunks {
			key := modelChunk{v.Content(), v.Number()}
			_, want := m.ring[key]
			want = want || m.durable[key]
			got, ok := s.Get(key.c, key.n)
			if ok != want && !(ok && s.disk.Has(key.c, key.n) && m.known[i]) {
				t.Fatalf("chunk %v: got %v, want %v", key, ok, want)
			}
			if ok && !want { // written without its run's missing partitions, after patience
				m.durable[key] = true
			}
			if ok && !bytes.Equal(got.Data(), v.Data()) {
				t.Fatalf("chunk %v: other bytes", key)
			}
			if m.durable[key] && s.Manifest(key.c, key.n) == nil {
				t.Fatalf("chunk %v: no manifest", key)
			}
		}
	}
}

// TestConcurrentUse lets readers, writers, drops and compactions meet under the
// race detector; whatever is served is right.
func TestConcurrentUse(t *testing.T) {
	s := openStore(t, Options{Path: chunkPath(t), Quota: 4 << 20})
	contents := []tuber.ContentID{contentID("a"), contentID("b"), contentID("c")}
	hold(s, 2, 3, contents...)
	var runs []run
	for i := range 45 {
		runs = append(runs, makeRun(t, contents[i%3], tuber.ChunkNumber(i/3*8), 8, 1<<62))
	}
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := runs[random.IntN(len(runs))]
				v := r.chunks[random.IntN(len(r.chunks))]
				if got, ok := s.Get(v.Content(), v.Number()); ok && !bytes.Equal(got.Data(), v.Data()) {
					t.Error("other bytes")
				}
				s.Range(v.Content())
				s.Manifests(v.Content(), v.Number())
				s.Update(v.Content())
				if len(s.Contents()) > len(contents) || s.Stored() > 4<<20 {
					t.Error("more than there can be")
				}
			}
		})
	}
	for w := range 3 {
		writers.Go(func() {
			for i, r := range runs {
				if i%3 != w {
					continue
				}
				s.AddManifest(r.m)
				for _, v := range r.chunks {
					_, _ = s.Put(v)
				}
				if err := s.Flush(); err != nil && s.Full() == nil && s.disk.Partitions(r.m.Manifest().Content, r.m.Manifest().First) == 0 && w != 2 {
					t.Errorf("flush: %v", err)
				}
				if w == 2 && i%4 == 0 {
					s.Drop(contents[2])
					s.Sweep()
					hold(s, 2, 3, contents...)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

func TestUpdates(t *testing.T) {
	s, c := openStore(t, Options{}), contentID("a")
	sign := func(epoch tuber.Epoch, seq tuber.Sequence, playlist string) *tuber.SignedUpdate {
		u, err := tuber.SignUpdate(testKey, tuber.Update{Content: c, Epoch: epoch, Sequence: seq, K: 2, URL: "/a", Expires: 1 << 62}, []byte(playlist))
		must(t, err)
		return u
	}
	for _, tt := range []struct {
		epoch    tuber.Epoch
		seq      tuber.Sequence
		playlist string
		want     bool
	}{{1, 5, "five", true}, {1, 5, "five", false}, {1, 4, "four", false}, {1, 6, "six", true}, {2, 0, "new epoch", true}, {1, 99, "old epoch", false}} {
		if got := s.AddUpdate(sign(tt.epoch, tt.seq, tt.playlist), []byte(tt.playlist)); got != tt.want {
			t.Fatalf("%s: got %v, want %v", tt.playlist, got, tt.want)
		}
	}
	if s.AddUpdate(sign(3, 0, "signed"), []byte("other")) {
		t.Fatal("an update with another playlist was taken")
	}
	if u, playlist := s.Update(c); u.Update().Epoch != 2 || string(playlist) != "new epoch" {
		t.Fatalf("got %+v, %q", u.Update(), playlist)
	}
	if u, _ := s.Update(contentID("b")); u != nil {
		t.Fatal("an update of another content")
	}
}

func TestRangeAndManifests(t *testing.T) {
	clk, c := newClock(), contentID("a")
	s := openStore(t, Options{Path: chunkPath(t), Now: clk.Now})
	if _, ok := s.Range(c); ok {
		t.Fatal("a range of nothing")
	}
	hold(s, 2, 0b10, c)
	var runs []run
	for n := range tuber.ChunkNumber(8) {
		runs = append(runs, makeRun(t, c, n*6, 6, clk.in(time.Hour)))
	}
	for i, r := range runs {
		s.AddManifest(r.m)
		for _, v := range r.chunks {
			odd := v.Number()%2 == 1
			switch {
			case i == 1 || i == 2, i == 5 && v.Number() == 31: // two whole runs and one chunk are missing
			case odd:
				_, err := s.Put(v)
				must(t, err)
			}
		}
		must(t, s.Flush())
	}
	want := tuber.Range{Content: c, Partitions: 0b10, First: 18, Next: 48}
	if got, ok := s.Range(c); !ok || got != want {
		t.Fatalf("range: got %+v, %v, want %+v", got, ok, want)
	}
	clk.add(3 * time.Minute)
	s.Sweep() // now only the disk knows
	if got, ok := s.Range(c); !ok || got != want {
		t.Fatalf("range from disk: got %+v, %v, want %+v", got, ok, want)
	}
	var firsts []tuber.ChunkNumber
	for _, m := range s.Manifests(c, 20) {
		firsts = append(firsts, m.Manifest().First)
	}
	if want := []tuber.ChunkNumber{18, 24, 36, 42}; !slices.Equal(firsts, want) {
		t.Fatalf("manifests: got %v, want %v", firsts, want)
	}
	if s.Manifest(c, 23) == nil || s.Manifest(c, 7) != nil || s.Manifest(c, 48) != nil {
		t.Fatal("manifest: want the one that chunk 23 is in, and none for 7 and 48")
	}
}

// One chunk that never came costs its partition of the run, not the others.
func TestPatience(t *testing.T) {
	clk, c := newClock(), contentID("a")
	s := openStore(t, Options{Path: chunkPath(t), Now: clk.Now})
	hold(s, 2, 3, c)
	r := makeRun(t, c, 0, 6, clk.in(time.Hour))
	s.AddManifest(r.m)
	for i, v := range r.chunks {
		if i != 3 {
			_, err := s.Put(v)
			must(t, err)
		}
	}
	must(t, s.Flush())
	if got := s.disk.Partitions(c, 0); got != 0 {
		t.Fatalf("at once: got partitions %b, want none", got)
	}
	clk.add(patience + time.Second)
	must(t, s.Flush())
	if got := s.disk.Partitions(c, 0); got != 0b01 {
		t.Fatalf("after patience: got partitions %b, want 1", got)
	}
	_, err := s.Put(r.chunks[3]) // late, but it completes the other one
	must(t, err)
	must(t, s.Flush())
	if got := s.disk.Partitions(c, 0); got != 0b11 {
		t.Fatalf("after the late chunk: got partitions %b, want 11", got)
	}
	clk.add(2 * time.Minute)
	s.ring.Trim()
	for _, v := range r.chunks {
		check(t, s, v)
	}
}
