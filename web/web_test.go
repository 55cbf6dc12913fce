package web

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/web/bundle/bundler"
)

func TestBundlesAreCurrent(t *testing.T) {
	files, err := bundler.Browser(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, embedded := range map[string][]byte{"page.js": page, "sw.js": worker} {
		if !bytes.Equal(files[name], embedded) {
			t.Errorf("dist/%s is not what src gives (%d bytes, want %d): run go generate ./web", name, len(embedded), len(files[name]))
		}
	}
}

func TestConfigLine(t *testing.T) {
	got := string(Page(Config{Site: tuber.PublicKey{1}, Enabled: true, Patterns: []string{`</script>\.ts$`}}))
	line, rest, ok := strings.Cut(got, "\n")
	want := `self.__TUBER__={"prefix":"/.tuber/","build":"` + Build() + `","site":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",` +
		`"patterns":["\u003c/script\u003e\\.ts$"],"relay":"on","enabled":true};`
	if !ok || line != want {
		t.Errorf("got config line\n%s\nwant\n%s", line, want)
	}
	if rest != string(page) {
		t.Error("the bundle does not follow the config line unchanged")
	}
	if !bytes.HasSuffix(Worker(Config{}), worker) {
		t.Error("the worker's bundle does not end its script")
	}
}

func TestBuildNamesTheBundles(t *testing.T) {
	if got := Build(); len(got) != 12 {
		t.Errorf("got build %q, want 12 hexadecimal digits", got)
	}
}
