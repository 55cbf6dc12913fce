package watch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

const (
	maxList       = 256 // numbers in one request
	maxChunksBody = maxList*(tuber.MaxFrame+4) + wire.MaxUpdate
)

// fetchChunks gets single chunks over HTTP: the same frames as on links,
// verified the same way. It returns the bytes that were of use.
func (v *viewer) fetchChunks(ctx context.Context, c tuber.ContentID, numbers []tuber.ChunkNumber) (int, error) {
	numbers = numbers[:min(len(numbers), maxList)]
	r, err := get(ctx, v.client, request{
		url:   v.site.base.String() + v.member.cfg.Prefix + "chunks/" + c.String() + "?list=" + listOf(numbers),
		limit: maxChunksBody,
	})
	if err != nil {
		return 0, err
	}
	v.measure(len(r.body), r.delay, r.rest)
	return v.takeRecords(c, r.body)
}

// takeRecords reads records of a 4-byte length and a frame (package wire,
// "Chunks over HTTP").
func (v *viewer) takeRecords(c tuber.ContentID, body []byte) (int, error) {
	var chunks []tuber.VerifiedChunk
	var ms []*tuber.SignedManifest
	got := 0
	for rest := bytes.NewReader(body); rest.Len() > 0; {
		frame, err := record(rest)
		if err != nil {
			return got, err
		}
		f, err := wire.ReadFrame(frame)
		if errors.Is(err, wire.ErrUnknown) {
			continue
		}
		if err != nil {
			return got, fmt.Errorf("chunks over HTTP: %w", err)
		}
		switch f := f.(type) {
		case wire.Update:
			for _, raw := range f.Manifests {
				m, err := tuber.OpenManifest(v.member.cfg.Site, raw)
				if err != nil {
					return got, fmt.Errorf("chunks over HTTP: %w", err)
				}
				ms = append(ms, m)
			}
		case wire.Chunk:
			chunk, err := v.verify(ms, f)
			if err != nil {
				return got, err
			}
			chunks = append(chunks, chunk)
			got += len(chunk.Data())
		}
	}
	return got, v.member.peer.Give(v.member.cfg.Site, c, ms, chunks)
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

func record(r *bytes.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("chunks over HTTP: the answer was cut short: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if int64(n) > int64(r.Len()) {
		return nil, fmt.Errorf("chunks over HTTP: a record of %d bytes, %d are there", n, r.Len())
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(r, frame)
	return frame, err
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
