package admin

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "admin") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if _, err := Dial(dir, "it"); err == nil {
		t.Error("dialled where nothing runs")
	}
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("got %v, %v, want a socket of mode 0600", info.Mode(), err)
	}
	served := make(chan error, 1)
	go func() {
		served <- http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/yes" {
				http.Error(w, "No, because.", http.StatusConflict)
				return
			}
			w.Write([]byte(`{"a":7}`))
		}))
	}()
	c, err := Dial(dir, "it")
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ A int }
	if err := c.Call("GET", "/yes", nil, &got); err != nil || got.A != 7 {
		t.Errorf("got %+v, %v, want 7", got, err)
	}
	if err := c.Call("POST", "/no", got, nil); err == nil || err.Error() != "No, because." {
		t.Errorf("got %v, want the sentence alone", err)
	}
	ln.Close()
	<-served
	if _, err := Listen(filepath.Join(dir, strings.Repeat("long", 40))); err == nil || !strings.Contains(err.Error(), "--state") {
		t.Errorf("a long path: got %v, want what to change", err)
	}
}
