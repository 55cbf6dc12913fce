package admin

import (
	"net/http"
	"os"
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
	if _, err := Dial(dir, "it"); err == nil {
		t.Error("dialled what was closed")
	}
	ln, err = Listen(dir) // begins anew over what the first left
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}
