package peer

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/tubercdn/tuber"
)

// What is visited below a number is what a plain look through the map finds,
// whatever was added and deleted before.
func TestWantsBelow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		w := &wantSet{m: map[tuber.ChunkNumber]*want{}}
		base := tuber.ChunkNumber(r.Uint64N(1 << 61))
		for range 200 {
			n := base + tuber.ChunkNumber(r.Uint64N(64))
			switch r.IntN(12) {
			case 0:
				base += tuber.ChunkNumber(r.Uint64N(1 << r.IntN(40)))
			case 1, 2, 3, 4:
				w.add(n, &want{})
			case 5, 6, 7:
				delete(w.m, n)
			default:
				got, expected := map[tuber.ChunkNumber]bool{}, map[tuber.ChunkNumber]bool{}
				w.below(n, func(m tuber.ChunkNumber, _ *want) { got[m] = true })
				for m := range w.m {
					if m < n {
						expected[m] = true
					}
				}
				if !maps.Equal(got, expected) {
					t.Fatalf("below %d: got %v, want %v", n, got, expected)
				}
			}
		}
	}
}
