package watch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	maxList       = 256 // numbers in one request
	maxChunksBody = maxList*(tuber.MaxFrame+4) + wire.MaxUpdate
)

// fetchChunks gets single chunks over HTTP: the same frames as on links, verified
// the same way, each of use as soon as it is here. It returns the bytes that were.
func (v *viewer) fetchChunks(ctx context.Context, c tuber.ContentID, numbers []tuber.ChunkNumber) (int, error) {
	numbers = numbers[:min(len(numbers), maxList)]
	taken := &records{v: v, content: c}
	r, err := get(ctx, v.client, request{
		url:   v.site.base.String() + v.member.cfg.Prefix + "chunks/" + c.String() + "?list=" + listOf(numbers),
		limit: maxChunksBody, to: taken, within: requestTimeout,
	})
	if r.delay > 0 {
		v.measure(len(r.body), r.delay, r.rest)
	}
	if err == nil && len(taken.rest) > 0 {
		err = fmt.Errorf("chunks over HTTP: the answer was cut short by a record's %d bytes", len(taken.rest))
	}
	return taken.got, err
}

// records takes an answer's records as they come: a 4-byte length and a frame each
// (package wire, "Chunks over HTTP").
type records struct {
	v       *viewer
	content tuber.ContentID
	rest    []byte // of which no whole record is here
	ms      []*tuber.SignedManifest
	got     int // bytes of chunks
}

func (r *records) head(int64) {}

// Write takes what came.
func (r *records) Write(b []byte) (int, error) {
	r.rest = append(r.rest, b...)
	for len(r.rest) >= 4 {
		n := int64(binary.BigEndian.Uint32(r.rest))
		if n > wire.MaxUpdate {
			return 0, fmt.Errorf("chunks over HTTP: a record of %d bytes, at most %d", n, wire.MaxUpdate)
		}
		if int64(len(r.rest)) < 4+n {
			break
		}
		if err := r.take(r.rest[4 : 4+n]); err != nil {
			return 0, err
		}
		r.rest = r.rest[4+n:]
	}
	return len(b), nil
}

func (r *records) take(frame []byte) error {
	f, err := wire.ReadFrame(bytes.Clone(frame)) // statements in it are kept
	if errors.Is(err, wire.ErrUnknown) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("chunks over HTTP: %w", err)
	}
	var chunks []tuber.VerifiedChunk
	switch f := f.(type) {
	case wire.Update:
		for _, raw := range f.Manifests {
			m, err := tuber.OpenManifest(r.v.member.cfg.Site, raw)
			if err != nil {
				return fmt.Errorf("chunks over HTTP: %w", err)
			}
			r.ms = append(r.ms, m)
		}
	case wire.Chunk:
		chunk, err := r.v.verify(r.ms, f)
		if err != nil {
			return err
		}
		chunks = append(chunks, chunk)
		r.got += len(chunk.Data())
	}
	return r.v.member.peer.Give(r.v.member.cfg.Site, r.content, r.ms, chunks)
}

// verify finds the chunk's manifest among those that came with it, or in the store.
func (v *viewer) verify(ms []*tuber.SignedManifest, f wire.Chunk) (tuber.VerifiedChunk, error) {
	m := v.member.chunks.Manifest(f.Content, f.Number)
	for _, x := range ms {
		if s := x.Manifest(); s.Content == f.Content && s.First <= f.Number && f.Number < s.Next() {
			m = x
		}
	}
	if m == nil {
		return tuber.VerifiedChunk{}, fmt.Errorf("chunks over HTTP: chunk %d without its manifest", f.Number)
	}
	chunk, err := m.Verify(f.Number, f.Payload)
	if err != nil {
		return chunk, fmt.Errorf("chunks over HTTP: %w", err)
	}
	return chunk, nil
}

// listOf writes ascending numbers as "7,9-12".
func listOf(numbers []tuber.ChunkNumber) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(numbers[i]), 10))
		if j > i {
			b.WriteString("-" + strconv.FormatUint(uint64(numbers[j]), 10))
		}
		i = j + 1
	}
	return b.String()
}
