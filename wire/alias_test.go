package wire

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/tubercdn/tuber"
)

type aliasRow struct {
	Name  string         `json:"name"`
	Bytes string         `json:"bytes"`
	Alias map[string]any `json:"alias,omitempty"`
	Error string         `json:"error,omitempty"`
}

func aliasFields(a *tuber.Alias) map[string]any {
	runs := []any{}
	for _, r := range a.Runs {
		runs = append(runs, map[string]any{"first": float64(r.First), "count": float64(r.Count), "length": float64(r.Length)})
	}
	return map[string]any{"start": float64(a.Start), "runs": runs}
}

func aliasRows() []aliasRow {
	whole := tuber.Alias{Runs: []tuber.AliasRun{
		{First: 40, Count: 2, Length: tuber.ChunkSize + 15}, {First: 42, Count: 1, Length: 7}, {First: 50, Count: 128, Length: 128 * tuber.ChunkSize}}}
	ranged := tuber.Alias{Start: 1 << 40, Runs: []tuber.AliasRun{{First: 1 << 50, Count: 1, Length: 1}}}
	write := func(a tuber.Alias) string { return hex.EncodeToString(a.Append(nil)) }
	bad := func(r ...tuber.AliasRun) string { return write(tuber.Alias{Runs: r}) }
	tooLong := make([]tuber.AliasRun, 33) // of 2 MiB each
	for i := range tooLong {
		tooLong[i] = tuber.AliasRun{First: tuber.ChunkNumber(i * 128), Count: 128, Length: 128 * tuber.ChunkSize}
	}
	return []aliasRow{
		{Name: "three runs", Bytes: write(whole), Alias: aliasFields(&whole)},
		{Name: "of a byte range", Bytes: write(ranged), Alias: aliasFields(&ranged)},
		{Name: "with a field of a later version", Bytes: write(whole) + "abcdef", Alias: aliasFields(&whole)},
		{Name: "empty", Error: "malformed"},
		{Name: "no runs", Bytes: bad(), Error: "malformed"},
		{Name: "cut short", Bytes: write(whole)[:40], Error: "malformed"},
		{Name: "more runs than there are bytes", Bytes: "0000000000000000" + "0400", Error: "malformed"},
		{Name: "more runs than one chunk holds", Bytes: "0000000000000000" + "0401", Error: "malformed"},
		{Name: "a run of no chunks", Bytes: bad(tuber.AliasRun{First: 1}), Error: "malformed"},
		{Name: "a run of too many chunks", Bytes: bad(tuber.AliasRun{First: 1, Count: 129, Length: 129 * tuber.ChunkSize}), Error: "malformed"},
		{Name: "a run whose length does not fit its chunks", Bytes: bad(tuber.AliasRun{First: 1, Count: 2, Length: tuber.ChunkSize}), Error: "malformed"},
		{Name: "a number out of bounds", Bytes: bad(tuber.AliasRun{First: 1<<62 + 1, Count: 1, Length: 1}), Error: "malformed"},
		{Name: "longer than a segment", Bytes: bad(tooLong...), Error: "malformed"},
	}
}

func TestVectorsAliases(t *testing.T) {
	for _, row := range corpus(t, "aliases.json", aliasRows) {
		a, err := tuber.ParseAlias(unhex(t, row.Bytes))
		if kindOf(err) != row.Error {
			t.Errorf("%s: error %v, want %q", row.Name, err, row.Error)
			continue
		}
		if err == nil && !reflect.DeepEqual(aliasFields(&a), row.Alias) {
			t.Errorf("%s: got %v want %v", row.Name, a, row.Alias)
		}
	}
}

func TestAliasURL(t *testing.T) {
	for url, want := range map[string]string{
		tuber.AliasURL("/live/7.m4s?x=1"): "/live/7.m4s?x=1", "/live/7.m4s": "", "/.tuber/aliases": "", "/.tuber/alias": "",
	} {
		got, ok := tuber.AliasOf(url)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %q, %v want %q", url, got, ok, want)
		}
	}
}

func FuzzParseAlias(f *testing.F) {
	for _, row := range corpus(f, "aliases.json", aliasRows) {
		f.Add(unhex(f, row.Bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := tuber.ParseAlias(b)
		if err != nil {
			return
		}
		again, err := tuber.ParseAlias(a.Append(nil))
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("%v came back as %v, %v", a, again, err)
		}
		if n := a.Length(); n == 0 || n > tuber.MaxSegment {
			t.Fatalf("alias of %d bytes", n)
		}
	})
}
