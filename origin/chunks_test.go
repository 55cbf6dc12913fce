package origin

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/wire"
)

// records reads an answer of the chunks endpoint as a peer does: every chunk
// against a manifest that came before it.
func records(t *testing.T, body []byte) (numbers []tuber.ChunkNumber, data map[tuber.ChunkNumber][]byte) {
	t.Helper()
	site := tuber.PublicKeyOf(testKey)
	var manifests []*tuber.SignedManifest
	data = map[tuber.ChunkNumber][]byte{}
	for len(body) > 0 {
		n := int(binary.BigEndian.Uint32(body))
		frame, err := wire.ReadFrame(body[4 : 4+n])
		if err != nil {
			t.Fatalf("record: %v", err)
		}
		body = body[4+n:]
		switch f := frame.(type) {
		case wire.Update:
			for _, raw := range f.Manifests {
				m, err := tuber.OpenManifest(site, raw)
				if err != nil {
					t.Fatalf("manifest: %v", err)
				}
				manifests = append(manifests, m)
			}
		case wire.Chunk:
			i := slices.IndexFunc(manifests, func(m *tuber.SignedManifest) bool { return m.Manifest().Size(f.Number) > 0 })
			if i < 0 {
				t.Fatalf("chunk %d has no manifest before it", f.Number)
			}
			if _, err := manifests[i].Verify(f.Number, f.Payload); err != nil {
				t.Errorf("chunk %d: %v", f.Number, err)
			}
			numbers = append(numbers, f.Number)
			data[f.Number] = f.Payload
		}
	}
	return numbers, data
}

func TestChunksEndpoint(t *testing.T) {
	inBubble(t, func(b *bubble, e *encoder) {
		e.size = 40 * tuber.ChunkSize // 2.6 Mbit/s: K is 8
		b.watch("/live.m3u8", 10*time.Second)
		c := b.got.announced()[0]
		last := b.got.last()
		base := "/.tuber/chunks/" + c.ID.String()
		first := last.LastFirst
		var odd []tuber.ChunkNumber
		for n := first; n < first+32; n++ {
			if n%8 == 1 || n%8 == 3 {
				odd = append(odd, n)
			}
		}
		for query, want := range map[string][]tuber.ChunkNumber{
			fmt.Sprintf("?list=%d", first):                                          {first},
			fmt.Sprintf("?list=%d,%d-%d", first, first+2, first+4):                  {first, first + 2, first + 3, first + 4},
			fmt.Sprintf("?list=%d-%d", last.Next-1, last.Next+50):                   {last.Next - 1},
			fmt.Sprintf("?partitions=10&from=%d&to=%d", first, first+31):            odd,
			fmt.Sprintf("?partitions=0&from=%d&to=%d", first, first+31):             nil,
			fmt.Sprintf("?partitions=255&from=%d&to=%d", last.Next+9, last.Next+10): nil,
		} {
			w := b.get(base + query)
			if w.Code != 200 {
				b.Errorf("%s: got %d: %s", query, w.Code, w.Body)
				continue
			}
			got, data := records(b.T, w.Body.Bytes())
			if !slices.Equal(got, want) {
				b.Errorf("%s: got %d want %d", query, got, want)
			}
			for n, bytesOf := range data {
				if !bytes.Equal(bytesOf, b.got.chunks[place{c.ID, n}].Data()) {
					b.Errorf("%s: chunk %d differs from the published one", query, n)
				}
			}
		}
		for query, want := range map[string]int{
			base: 400, base + "?list=": 400, base + "?list=x": 400, base + "?list=3-1": 400, base + "?list=5,5": 400, base + "?list=5,3": 400,
			base + "?list=0-4095": 200, base + "?list=0-4096": 400, base + "?list=-1": 400, base + "?list=" + strings.Repeat("9", 30): 400,
			base + "?partitions=1&from=0&to=4095": 200, base + "?partitions=1&from=0&to=4096": 400, base + "?partitions=256&from=0&to=1": 400,
			base + "?partitions=1&from=2&to=1": 400, base + "?from=0&to=1": 400,
			"/.tuber/chunks/" + strings.Repeat("0", 32) + "?list=1": 404, "/.tuber/chunks/x?list=1": 404, "/.tuber/chunks/?list=1": 404,
		} {
			if w := b.get(query); w.Code != want {
				b.Errorf("%s: got %d want %d", query, w.Code, want)
			}
		}
	})
}
