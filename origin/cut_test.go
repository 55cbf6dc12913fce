package origin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
)

// closed is a run as a test sees it: bytes, and whether it ends the body.
type closedRun struct {
	bytes int
	ends  bool
}

// burst is bytes that come after a wait.
type burst struct {
	after time.Duration
	bytes int
}

func TestRunsClose(t *testing.T) {
	const c = tuber.ChunkSize
	slow := slowRun + time.Millisecond
	for name, row := range map[string]struct {
		size   int64
		bursts []burst
		want   []closedRun
		err    error
	}{
		"one short chunk":               {100, []burst{{0, 100}}, []closedRun{{100, true}}, nil},
		"exactly one chunk":             {c, []burst{{0, c}}, []closedRun{{c, true}}, nil},
		"exactly one, length unknown":   {-1, []burst{{0, c}}, []closedRun{{c, true}}, nil},
		"a full run":                    {128 * c, []burst{{0, 128 * c}}, []closedRun{{128 * c, true}}, nil},
		"a full run, length unknown":    {-1, []burst{{0, 128 * c}}, []closedRun{{128 * c, true}}, nil},
		"a byte more than a run":        {128*c + 1, []burst{{0, 128*c + 1}}, []closedRun{{128 * c, false}, {1, true}}, nil},
		"slow with a whole chunk":       {3 * c, []burst{{0, c}, {slow, 2 * c}}, []closedRun{{c, false}, {2 * c, true}}, nil},
		"slow without a whole chunk":    {2 * c, []burst{{0, c - 1}, {slow, c + 1}}, []closedRun{{2 * c, true}}, nil},
		"slow inside a chunk":           {3 * c, []burst{{0, c + 5}, {slow, 2*c - 5}}, []closedRun{{c, false}, {2 * c, true}}, nil},
		"not slow":                      {3 * c, []burst{{0, c}, {slowRun / 2, 2 * c}}, []closedRun{{3 * c, true}}, nil},
		"drip":                          {4 * c, []burst{{0, c}, {60e6, c}, {60e6, c}, {60e6, c}}, []closedRun{{2 * c, false}, {2 * c, true}}, nil},
		"the last chunk may be the end": {-1, []burst{{0, 2 * c}, {slow, 0}}, []closedRun{{c, false}, {c, true}}, nil},
		"the end is known":              {2 * c, []burst{{0, 2 * c}, {slow, 0}}, []closedRun{{c, false}, {c, true}}, nil},
		"empty":                         {-1, nil, nil, errEmpty},
		"cut short":                     {2 * c, []burst{{0, c}}, nil, io.ErrUnexpectedEOF},
		"too much":                      {c, []burst{{0, c + 1}}, nil, errAny},
		"too long":                      {-1, []burst{{0, tuber.MaxSegment + 1}}, nil, errTooLong},
		"stalled":                       {2 * c, []burst{{0, c}, {time.Minute, c}}, nil, errStalled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []closedRun
				var body []byte
				cut := &cutter{size: row.size, stall: 10 * time.Second, emit: func(chunks [][]byte, ends bool) error {
					n := 0
					for i, b := range chunks {
						if len(b) != c && !(ends && i == len(chunks)-1) {
							t.Errorf("run %d: chunk %d of %d has %d bytes", len(got), i, len(chunks), len(b))
						}
						n += len(b)
						body = append(body, b...)
					}
					got = append(got, closedRun{n, ends})
					return nil
				}}
				err := cut.cut(t.Context(), pour(t.Context(), row.bursts))
				if !errors.Is(err, row.err) && (row.err != errAny || err == nil) {
					t.Fatalf("got error %v want %v", err, row.err)
				}
				if row.err != nil {
					return
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("got runs %v want %v", got, row.want)
				}
				if want := made("body", len(body)); !bytes.Equal(body, want) {
					t.Error("the runs do not hold the body's bytes")
				}
			})
		})
	}
}

var errAny = errors.New("any error")

// pour is a body that comes in bursts.
func pour(ctx context.Context, bursts []burst) io.ReadCloser {
	r, w := io.Pipe()
	total := 0
	for _, b := range bursts {
		total += b.bytes
	}
	data := made("body", total)
	go func() {
		for _, b := range bursts {
			select {
			case <-time.After(b.after):
			case <-ctx.Done():
			}
			if _, err := w.Write(data[:b.bytes]); err != nil {
				return
			}
			data = data[b.bytes:]
		}
		w.Close()
	}()
	return r
}

func TestPartitions(t *testing.T) {
	for rate, want := range map[tuber.BitsPerSecond]int{
		0: 1, 200e3: 1, 374e3: 1, 375e3: 2, 748e3: 2, 749e3: 4, 1.49e6: 4, 1.5e6: 8, 20e6: 8,
	} {
		if got := partitionsFor(rate); got != want {
			t.Errorf("%v: got K %d want %d", rate, got, want)
		}
	}
}
