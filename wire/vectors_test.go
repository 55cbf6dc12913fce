package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/tubercdn/tuber"
)

var update = flag.Bool("update", false, "write the vectors from the tables in the tests")

// corpus reads one file of vectors, after writing it when -update is given. It
// holds what the tables in the tests say, and nothing else.
func corpus[Row any](t testing.TB, file string, rows func() []Row) []Row {
	t.Helper()
	path := filepath.Join("testdata", "vectors", file)
	want, err := json.MarshalIndent(rows(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s is not what the tables say: go test ./wire -update", path)
	}
	var got []Row
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 {
		t.Fatalf("%s holds no vectors", file)
	}
	return got
}

type frameRow struct {
	Name  string         `json:"name"`
	Bytes string         `json:"bytes"`
	Frame map[string]any `json:"frame,omitempty"`
	Error string         `json:"error,omitempty"`
}

// testKey is a key that everybody knows: seed bytes all equal to b.
func testKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

var content = tuber.ContentID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// goodFrames are frames of every type, edges included.
func goodFrames() map[string]Frame {
	site, key := tuber.PublicKeyOf(testKey(1)), tuber.PublicKeyOf(testKey(2))
	var own, other tuber.Fingerprint
	own[0], other[0] = 0xAA, 0xBB
	full := make([]tuber.ChunkNumber, MaxAsk)
	for i := range full {
		full[i] = tuber.ChunkNumber(i * 3)
	}
	edit := &tuber.Edit{From: 3, To: 9, Head: []byte("#EXTM3U\n"), Tail: []byte("b.ts\n")}
	return map[string]Frame{
		"hello of a viewer": Hello{Version: 1, Role: tuber.RoleViewer, Site: site, Key: key,
			Signature: tuber.Sign(testKey(2), tuber.KindHello, HelloStatement(site, own, other))},
		"hello of an origin with features": Hello{Version: 2, Features: 1 << 31, Role: tuber.RoleOrigin, Site: site, Key: key},
		"update with an edit":              Update{Update: []byte{1, 2, 3}, Edit: edit, Manifests: [][]byte{{4, 5}, {6}}},
		"update without an edit":           Update{Update: []byte{1}},
		"update of manifests alone":        Update{Manifests: [][]byte{{9, 9, 9}}},
		"range":                            Range{tuber.Range{Content: content, Partitions: 5, First: 7, Next: 1 << 40}},
		"ask for one":                      Ask{Content: content, Within: 1500, Numbers: []tuber.ChunkNumber{42}},
		"ask for the most":                 Ask{Content: content, Within: 1, Numbers: full},
		"missing":                          Missing{Content: content, Numbers: []tuber.ChunkNumber{1, 2}},
		"missing nothing":                  Missing{Content: content, Numbers: []tuber.ChunkNumber{}},
		"part":                             Part{Bytes: []byte{1, 2}},
		"last part":                        Part{Last: true, Bytes: []byte{3}},
		"ping":                             Ping{ID: 77},
		"ping's answer":                    Ping{Answer: true, ID: 1<<32 - 1},
		"bye":                              Bye{Code: ByeBadChunk, Reason: "chunk 9 is not what was signed"},
		"past":                             Past{Content: content, Partitions: 255, From: 100},
		"enough":                           Enough{Content: content, Partition: 3, From: 1 << 33},
		"have":                             Have{Content: content, Numbers: []tuber.ChunkNumber{3, 1 << 40}},
		"chunk of one byte":                Chunk{Content: content, Number: 1 << 52, Payload: []byte{0xFF}},
		"chunk of the full size":           Chunk{Content: content, Number: 0, Payload: bytes.Repeat([]byte{0x47}, tuber.ChunkSize)},
	}
}

// fields shows a frame as the corpus does.
func fields(f Frame) map[string]any {
	ns := func(in []tuber.ChunkNumber) []any {
		out := []any{}
		for _, n := range in {
			out = append(out, float64(n))
		}
		return out
	}
	switch f := f.(type) {
	case Hello:
		return map[string]any{"type": "hello", "version": float64(f.Version), "features": float64(f.Features), "role": string(f.Role),
			"site": hex.EncodeToString(f.Site[:]), "key": hex.EncodeToString(f.Key[:]), "signature": hex.EncodeToString(f.Signature[:])}
	case Update:
		ms := []any{}
		for _, m := range f.Manifests {
			ms = append(ms, hex.EncodeToString(m))
		}
		out := map[string]any{"type": "update", "update": hex.EncodeToString(f.Update), "manifests": ms}
		if f.Edit != nil {
			out["edit"] = map[string]any{"from": float64(f.Edit.From), "to": float64(f.Edit.To),
				"head": hex.EncodeToString(f.Edit.Head), "tail": hex.EncodeToString(f.Edit.Tail)}
		}
		return out
	case Range:
		return map[string]any{"type": "range", "content": f.Content.String(), "partitions": float64(f.Partitions),
			"first": float64(f.First), "next": float64(f.Next)}
	case Ask:
		return map[string]any{"type": "ask", "content": f.Content.String(), "within": float64(f.Within), "numbers": ns(f.Numbers)}
	case Missing:
		return map[string]any{"type": "missing", "content": f.Content.String(), "numbers": ns(f.Numbers)}
	case Part:
		return map[string]any{"type": "part", "last": f.Last, "bytes": hex.EncodeToString(f.Bytes)}
	case Ping:
		return map[string]any{"type": "ping", "answer": f.Answer, "id": float64(f.ID)}
	case Bye:
		return map[string]any{"type": "bye", "code": float64(f.Code), "reason": f.Reason}
	case Past:
		return map[string]any{"type": "past", "content": f.Content.String(), "partitions": float64(f.Partitions), "from": float64(f.From)}
	case Enough:
		return map[string]any{"type": "enough", "content": f.Content.String(), "partition": float64(f.Partition), "from": float64(f.From)}
	case Have:
		return map[string]any{"type": "have", "content": f.Content.String(), "numbers": ns(f.Numbers)}
	case Chunk:
		return map[string]any{"type": "chunk", "content": f.Content.String(), "number": float64(f.Number), "payload": hex.EncodeToString(f.Payload)}
	}
	return nil
}

// badFrames are bytes that must be refused, and how.
func badFrames() []frameRow {
	good := goodFrames()
	cut := func(name string, n int) string {
		b := good[name].Append(nil)
		return hex.EncodeToString(b[:len(b)-n])
	}
	ask := good["ask for one"].Append(nil)
	ask[1+16+4] = MaxAsk + 1
	parity := Chunk{Content: content, Payload: []byte{1}}.Append(nil)
	parity[1+16+8] = 1
	long := Chunk{Content: content, Payload: make([]byte, tuber.ChunkSize+1)}.Append(nil)
	upd := Update{Update: []byte{1, 2, 3}}.Append(nil)
	head := append([]byte(nil), upd...)
	copy(head[1+2+3+1+8:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	return []frameRow{
		{Name: "nothing at all", Bytes: "", Error: "malformed"},
		{Name: "a type of the future", Bytes: "7f0102", Error: "unknown"},
		{Name: "type zero", Bytes: "00", Error: "unknown"},
		{Name: "hello cut short", Bytes: cut("hello of a viewer", 1), Error: "malformed"},
		{Name: "update cut in a manifest", Bytes: cut("update with an edit", 1), Error: "malformed"},
		{Name: "update whose head is longer than the frame", Bytes: hex.EncodeToString(head), Error: "malformed"},
		{Name: "update whose length is longer than the frame", Bytes: "02ffff00", Error: "malformed"},
		{Name: "range cut short", Bytes: cut("range", 1), Error: "malformed"},
		{Name: "ask without its last number", Bytes: cut("ask for one", 1), Error: "malformed"},
		{Name: "ask for too many", Bytes: hex.EncodeToString(ask), Error: "malformed"},
		{Name: "missing cut short", Bytes: cut("missing", 9), Error: "malformed"},
		{Name: "part without flags", Bytes: "06", Error: "malformed"},
		{Name: "ping cut short", Bytes: cut("ping", 1), Error: "malformed"},
		{Name: "bye cut in its reason", Bytes: cut("bye", 3), Error: "malformed"},
		{Name: "past cut short", Bytes: cut("past", 1), Error: "malformed"},
		{Name: "enough cut short", Bytes: cut("enough", 1), Error: "malformed"},
		{Name: "have without its last number", Bytes: cut("have", 1), Error: "malformed"},
		{Name: "chunk without payload", Bytes: cut("chunk of one byte", 1), Error: "malformed"},
		{Name: "chunk without flags", Bytes: cut("chunk of one byte", 2), Error: "malformed"},
		{Name: "chunk one byte too long", Bytes: hex.EncodeToString(long), Error: "malformed"},
		{Name: "chunk of a kind of the future", Bytes: hex.EncodeToString(parity), Error: "unknown"},
	}
}

func frameRows() []frameRow {
	var rows []frameRow
	for _, name := range sortedKeys(goodFrames()) {
		f := goodFrames()[name]
		rows = append(rows, frameRow{Name: name, Bytes: hex.EncodeToString(f.Append(nil)), Frame: fields(f)})
	}
	ping := goodFrames()["ping"]
	rows = append(rows, frameRow{Name: "ping with bytes of a later version", Frame: fields(ping),
		Bytes: hex.EncodeToString(append(ping.Append(nil), 9, 9))})
	return append(rows, badFrames()...)
}

func TestVectorsFrames(t *testing.T) {
	for _, row := range corpus(t, "frames.json", frameRows) {
		b := unhex(t, row.Bytes)
		f, err := ReadFrame(b)
		if got := kindOf(err); got != row.Error {
			t.Errorf("%s: error %v (%q), want %q", row.Name, err, got, row.Error)
			continue
		}
		if err != nil {
			continue
		}
		if got := fields(f); !reflect.DeepEqual(got, row.Frame) {
			t.Errorf("%s: got %v, want %v", row.Name, got, row.Frame)
		}
		if again := f.Append(nil); !bytes.HasPrefix(b, again) {
			t.Errorf("%s: written again as %x, want the start of %x", row.Name, again, b)
		}
	}
}

func kindOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrUnknown):
		return "unknown"
	case errors.Is(err, tuber.ErrSignature):
		return "signature"
	case errors.Is(err, tuber.ErrExpired):
		return "expired"
	}
	return "malformed"
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func FuzzReadFrame(f *testing.F) {
	for _, row := range corpus(f, "frames.json", frameRows) {
		f.Add(unhex(f, row.Bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := ReadFrame(b)
		if err != nil {
			if frame != nil {
				t.Fatalf("frame %v beside error %v", frame, err)
			}
			return
		}
		again, err := ReadFrame(frame.Append(nil))
		if err != nil || !reflect.DeepEqual(fields(again), fields(frame)) {
			t.Fatalf("%v written and read again: %v, %v", frame, again, err)
		}
	})
}
