package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

type statementRow struct {
	Name      string         `json:"name"`
	Kind      string         `json:"kind"`
	Site      string         `json:"site"`
	Raw       string         `json:"raw"`
	Statement map[string]any `json:"statement,omitempty"`
	Chunks    []chunkRow     `json:"chunks,omitempty"`
	Now       float64        `json:"now,omitempty"` // at which a certificate is opened
	Error     string         `json:"error,omitempty"`
}

type chunkRow struct {
	Name   string  `json:"name"`
	Number float64 `json:"number"`
	Data   string  `json:"data"`
	OK     bool    `json:"ok"`
}

const samplePlaylist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:5\n#EXTINF:2.0,\nseg5.ts\n"

func sampleManifest() (tuber.Manifest, [][]byte) {
	chunks := [][]byte{bytes.Repeat([]byte("a"), tuber.ChunkSize), []byte("tail of the run")}
	m := tuber.Manifest{Content: content, First: 40, Start: 1000, Offset: 1000, Length: tuber.ChunkSize + 15,
		Expires: 1_800_000_000_000, Ends: true, URL: "/live/seg5.ts?x=1",
		Headers: []tuber.Header{{Name: "Content-Type", Value: "video/mp2t"}, {Name: "ETag", Value: `"5"`}}}
	for _, c := range chunks {
		m.Digests = append(m.Digests, sha256.Sum256(c))
	}
	return m, chunks
}

func manifestFields(m *tuber.Manifest) map[string]any {
	digests, headers := []any{}, []any{}
	for _, d := range m.Digests {
		digests = append(digests, hex.EncodeToString(d[:]))
	}
	for _, h := range m.Headers {
		headers = append(headers, []any{h.Name, h.Value})
	}
	return map[string]any{"content": m.Content.String(), "first": float64(m.First), "start": float64(m.Start),
		"offset": float64(m.Offset), "length": float64(m.Length), "expires": float64(m.Expires), "ends": m.Ends,
		"ranged": m.Ranged, "url": m.URL, "headers": headers, "digests": digests}
}

func updateFields(u *tuber.Update) map[string]any {
	return map[string]any{"content": u.Content.String(), "epoch": float64(u.Epoch), "sequence": float64(u.Sequence),
		"issued": float64(u.Issued), "expires": float64(u.Expires), "next": float64(u.Next),
		"lastFirst": float64(u.LastFirst), "lastNext": float64(u.LastNext), "target": float64(u.Target),
		"k": float64(u.K), "ended": u.Ended, "length": float64(u.Length),
		"digest": hex.EncodeToString(u.Digest[:]), "url": u.URL, "contentType": u.Type}
}

func statementRows() []statementRow {
	key := testKey(1)
	site := tuber.PublicKeyOf(key)
	siteHex := hex.EncodeToString(site[:])
	m, chunks := sampleManifest()
	sm, err := tuber.SignManifest(key, m)
	if err != nil {
		panic(err)
	}
	u := tuber.Update{Content: content, Epoch: 3, Sequence: 9, Issued: 1_799_999_000_000, Expires: 1_799_999_006_000,
		Next: 42, LastFirst: 40, LastNext: 42, Target: 2000, K: 4, URL: "/live/index.m3u8", Type: "application/vnd.apple.mpegurl"}
	su, err := tuber.SignUpdate(key, u, []byte(samplePlaylist))
	if err != nil {
		panic(err)
	}
	manifest := statementRow{Name: "manifest of two chunks", Kind: "manifest", Site: siteHex, Raw: hex.EncodeToString(sm.Raw()),
		Statement: manifestFields(sm.Manifest()), Chunks: []chunkRow{
			{"first", 40, hex.EncodeToString(chunks[0]), true},
			{"last, short", 41, hex.EncodeToString(chunks[1]), true},
			{"swapped", 40, hex.EncodeToString(chunks[1]), false},
			{"one byte short", 41, hex.EncodeToString(chunks[1][1:]), false},
			{"one bit flipped", 41, hex.EncodeToString(append([]byte{'T'}, chunks[1][1:]...)), false},
			{"number before the run", 39, hex.EncodeToString(chunks[0]), false},
			{"number after the run", 42, hex.EncodeToString(chunks[1]), false},
			{"empty", 41, "", false},
		}}
	updateRow := statementRow{Name: "update", Kind: "update", Site: siteHex, Raw: hex.EncodeToString(su.Raw()), Statement: updateFields(su.Update())}
	m.Ranged = true
	ranged, err := tuber.SignManifest(key, m)
	if err != nil {
		panic(err)
	}
	rangedRow := statementRow{Name: "manifest of a byte range", Kind: "manifest", Site: siteHex,
		Raw: hex.EncodeToString(ranged.Raw()), Statement: manifestFields(ranged.Manifest())}
	rows := append([]statementRow{manifest, rangedRow, updateRow}, badStatements(siteHex, sm.Raw(), su.Raw())...)
	return append(rows, certificateRows(siteHex, sm.Raw())...)
}

func certificateFields(c tuber.Certificate) map[string]any {
	return map[string]any{"planner": hex.EncodeToString(c.Planner[:]), "epoch": float64(c.Epoch), "expires": float64(c.Expires)}
}

func certificateRows(site string, manifest []byte) []statementRow {
	c := tuber.Certificate{Planner: tuber.PublicKeyOf(testKey(4)), Epoch: 3, Expires: 1_800_000_000_000}
	raw := tuber.SignCertificate(testKey(1), c)
	other := tuber.PublicKeyOf(testKey(3))
	row := func(name string, now tuber.Millis, raw []byte) statementRow {
		return statementRow{Name: name, Kind: "certificate", Site: site, Now: float64(now), Raw: hex.EncodeToString(raw)}
	}
	good := func(r statementRow) statementRow { r.Statement = certificateFields(c); return r }
	bad := func(r statementRow, why string) statementRow { r.Error = why; return r }
	flip := func(at int) []byte { b := bytes.Clone(raw); b[at] ^= 1; return b }
	short := tuber.Sign(testKey(1), tuber.KindCertificate, raw[64:len(raw)-1])
	foreign := bad(row("certificate of another site", c.Expires-1, raw), "signature")
	foreign.Site = hex.EncodeToString(other[:])
	return []statementRow{
		good(row("certificate", c.Expires-1000, raw)),
		good(row("certificate in its last millisecond", c.Expires, raw)),
		bad(row("certificate that expired", c.Expires+1, raw), "expired"),
		foreign,
		bad(row("certificate for another planner", c.Expires-1, flip(64)), "signature"),
		bad(row("certificate that lasts longer", c.Expires-1, flip(64+32+8)), "signature"),
		bad(row("certificate with a flipped bit in its signature", c.Expires-1, flip(5)), "signature"),
		bad(row("manifest passed as a certificate", c.Expires-1, manifest), "signature"),
		bad(row("certificate cut short and signed", c.Expires-1, append(short[:], raw[64:len(raw)-1]...)), "malformed"),
	}
}

// badStatements are refused: by the signature, or, signed all the same, by their bounds.
func badStatements(site string, manifest, update []byte) []statementRow {
	flip := func(raw []byte, at int) string {
		b := append([]byte(nil), raw...)
		b[at] ^= 1
		return hex.EncodeToString(b)
	}
	resign := func(kind tuber.Kind, raw []byte, change func(b []byte) []byte) string {
		b := change(append([]byte(nil), raw[64:]...))
		sig := tuber.Sign(testKey(1), kind, b)
		return hex.EncodeToString(append(sig[:], b...))
	}
	other := tuber.PublicKeyOf(testKey(3))
	set := func(at int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	const atURL, atFlags = 16 + 8*3 + 4 + 8 + 1, 16 + 8*3 + 4 + 8
	const atK = 16 + 8*7 + 4
	return []statementRow{
		{Name: "manifest with a flipped bit", Kind: "manifest", Site: site, Raw: flip(manifest, 70), Error: "signature"},
		{Name: "manifest with a flipped bit in its signature", Kind: "manifest", Site: site, Raw: flip(manifest, 5), Error: "signature"},
		{Name: "manifest of another site", Kind: "manifest", Site: hex.EncodeToString(other[:]), Raw: hex.EncodeToString(manifest), Error: "signature"},
		{Name: "manifest passed as an update", Kind: "update", Site: site, Raw: hex.EncodeToString(manifest), Error: "signature"},
		{Name: "update passed as a manifest", Kind: "manifest", Site: site, Raw: hex.EncodeToString(update), Error: "signature"},
		{Name: "shorter than a signature", Kind: "manifest", Site: site, Raw: "0102", Error: "malformed"},
		{Name: "manifest cut short and signed", Kind: "manifest", Site: site, Error: "malformed",
			Raw: resign(tuber.KindManifest, manifest, func(b []byte) []byte { return b[:len(b)-1] })},
		{Name: "manifest whose length does not fit its chunks", Kind: "manifest", Site: site, Error: "malformed",
			Raw: resign(tuber.KindManifest, manifest, set(16+8*3, 0, 0, 0, 1))},
		{Name: "manifest that begins before its segment", Kind: "manifest", Site: site, Error: "malformed",
			Raw: resign(tuber.KindManifest, manifest, set(16+8*2, 0, 0, 0, 0, 0, 0, 0, 1))},
		{Name: "manifest whose URL is no path", Kind: "manifest", Site: site, Error: "malformed",
			Raw: resign(tuber.KindManifest, manifest, set(atURL+2, 'h'))},
		{Name: "manifest whose URL is longer than the statement", Kind: "manifest", Site: site, Error: "malformed",
			Raw: resign(tuber.KindManifest, manifest, set(atURL, 0xFF, 0xFF))},
		{Name: "manifest with a flag of the future", Kind: "manifest", Site: site, Statement: futureFlag(manifest),
			Raw: resign(tuber.KindManifest, manifest, set(atFlags, 1|1<<7))},
		{Name: "update cut short and signed", Kind: "update", Site: site, Error: "malformed",
			Raw: resign(tuber.KindUpdate, update, func(b []byte) []byte { return b[:len(b)-1] })},
		{Name: "update with three partitions", Kind: "update", Site: site, Error: "malformed",
			Raw: resign(tuber.KindUpdate, update, set(atK, 3))},
		{Name: "update of an enormous playlist", Kind: "update", Site: site, Error: "malformed",
			Raw: resign(tuber.KindUpdate, update, set(atK+2, 0x7F, 0xFF, 0xFF, 0xFF))},
	}
}

func futureFlag(manifest []byte) map[string]any {
	sm, err := tuber.OpenManifest(tuber.PublicKeyOf(testKey(1)), manifest)
	if err != nil {
		panic(err)
	}
	return manifestFields(sm.Manifest())
}

func TestVectorsStatements(t *testing.T) {
	for _, row := range corpus(t, "statements.json", statementRows) {
		site := tuber.PublicKey(unhex(t, row.Site))
		raw := unhex(t, row.Raw)
		var got map[string]any
		var err error
		var sm *tuber.SignedManifest
		switch row.Kind {
		case "manifest":
			if sm, err = tuber.OpenManifest(site, raw); err == nil {
				got = manifestFields(sm.Manifest())
			}
		case "update":
			var su *tuber.SignedUpdate
			if su, err = tuber.OpenUpdate(site, raw); err == nil {
				got = updateFields(su.Update())
			}
		case "certificate":
			var c tuber.Certificate
			if c, err = tuber.OpenCertificate(site, raw, tuber.Millis(row.Now)); err == nil {
				got = certificateFields(c)
			}
		}
		if kindOf(err) != row.Error || !reflect.DeepEqual(got, row.Statement) {
			t.Errorf("%s: got %v, %v; want %v, %q", row.Name, got, err, row.Statement, row.Error)
		}
		for _, c := range row.Chunks {
			if _, err := sm.Verify(tuber.ChunkNumber(c.Number), unhex(t, c.Data)); (err == nil) != c.OK {
				t.Errorf("%s, chunk %s: verified with %v, want ok %v", row.Name, c.Name, err, c.OK)
			}
		}
	}
}

type editRow struct {
	Name  string `json:"name"`
	Old   string `json:"old"`
	From  uint32 `json:"from"`
	To    uint32 `json:"to"`
	Head  string `json:"head"`
	Tail  string `json:"tail"`
	Next  string `json:"next,omitempty"`
	Error string `json:"error,omitempty"`
}

func editRows() []editRow {
	const old = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n"
	const next = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:2\n#EXTINF:2,\nb.ts\n#EXTINF:2,\nc.ts\n"
	var rows []editRow
	for name, pair := range map[string][2]string{
		"a sliding window": {old, next}, "the first playlist": {"", next}, "nothing in common": {"x\n", next},
		"a part more, another hint": {old + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"c.0.ts\"\n",
			old + "#EXT-X-PART:DURATION=1,URI=\"c.0.ts\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"c.1.ts\"\n"},
		"unchanged": {next, next}, "ended": {next, next + "#EXT-X-ENDLIST\n"}, "emptied": {next, ""},
	} {
		e := tuber.MakeEdit([]byte(pair[0]), []byte(pair[1]))
		rows = append(rows, editRow{Name: name, Old: pair[0], From: e.From, To: e.To, Head: string(e.Head), Tail: string(e.Tail), Next: pair[1]})
	}
	slices.SortFunc(rows, func(a, b editRow) int { return strings.Compare(a.Name, b.Name) })
	return append(rows,
		editRow{Name: "keeps more than there is", Old: "abc", From: 1, To: 4, Error: "malformed"},
		editRow{Name: "ends before it begins", Old: "abc", From: 2, To: 1, Error: "malformed"})
}

func TestVectorsEdits(t *testing.T) {
	for _, row := range corpus(t, "edits.json", editRows) {
		e := tuber.Edit{From: row.From, To: row.To, Head: []byte(row.Head), Tail: []byte(row.Tail)}
		got, err := e.Apply([]byte(row.Old))
		if kindOf(err) != row.Error || string(got) != row.Next {
			t.Errorf("%s: got %q, %v; want %q, %q", row.Name, got, err, row.Next, row.Error)
		}
	}
}

func TestEditOfASlidingWindowIsSmall(t *testing.T) {
	rows := editRows()
	for _, row := range rows {
		if row.Name == "a sliding window" && len(row.Head)+len(row.Tail) >= len(row.Next) {
			t.Errorf("edit carries %d bytes for a playlist of %d", len(row.Head)+len(row.Tail), len(row.Next))
		}
	}
}

func FuzzOpenManifest(f *testing.F) {
	site := tuber.PublicKeyOf(testKey(1))
	for _, row := range corpus(f, "statements.json", statementRows) {
		if raw := unhex(f, row.Raw); len(raw) > 64 {
			f.Add(raw[64:])
		}
	}
	f.Fuzz(func(t *testing.T, statement []byte) {
		for _, kind := range []tuber.Kind{tuber.KindManifest, tuber.KindUpdate} {
			sig := tuber.Sign(testKey(1), kind, statement)
			raw := append(sig[:], statement...)
			if kind == tuber.KindManifest {
				if sm, err := tuber.OpenManifest(site, raw); err == nil && (len(sm.Manifest().Digests) == 0 || sm.Manifest().Size(sm.Manifest().First) == 0) {
					t.Fatalf("manifest without chunks: %v", sm.Manifest())
				}
			} else if su, err := tuber.OpenUpdate(site, raw); err == nil && su.Update().K == 0 {
				t.Fatalf("update without partitions: %v", su.Update())
			}
		}
	})
}

func TestSplitAndJoin(t *testing.T) {
	for _, size := range []int{0, 1, tuber.MaxFrame, tuber.MaxFrame + 1, 5 * tuber.MaxFrame} {
		frame := bytes.Repeat([]byte{0xAB}, size)
		var j Joiner
		var got []byte
		for _, message := range Split(frame) {
			if len(message) > tuber.MaxFrame {
				t.Fatalf("message of %d bytes, at most %d", len(message), tuber.MaxFrame)
			}
			if size <= tuber.MaxFrame {
				got = message
				continue
			}
			f, err := ReadFrame(message)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = j.Add(f.(Part)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, frame) {
			t.Errorf("frame of %d bytes came back with %d", size, len(got))
		}
	}
}

func TestJoinerIsBounded(t *testing.T) {
	var j Joiner
	piece := make([]byte, tuber.MaxFrame-2)
	for range MaxUpdate/len(piece) + 1 {
		if _, err := j.Add(Part{Bytes: piece}); err != nil {
			return
		}
	}
	t.Errorf("parts of over %d bytes were all taken", MaxUpdate)
}
