package watch

import (
	"context"
	"crypto/sha256"

	"github.com/tubercdn/tuber"
)

const maxChecks = 64 // segments that wait to be compared

// check is a segment that was played.
type check struct {
	p   piece
	sum tuber.Digest
}

// checkAll compares what was played with a plain fetch of the same address. It
// has a client of its own, and its bytes count nowhere.
func (v *viewer) checkAll(ctx context.Context) {
	client := newClient(v.o.Insecure)
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-v.checks:
			r, err := get(ctx, client, c.p.plain())
			if err != nil {
				v.o.Log.Debug("check a segment", "err", err)
				continue
			}
			same := sha256.Sum256(r.body) == c.sum
			v.mu.Lock()
			if v.count.checked++; !same {
				v.count.wrong++
			}
			v.mu.Unlock()
			if !same {
				v.o.Log.Error("a segment was played that is not the site's", "url", c.p.url)
			}
		}
	}
}
