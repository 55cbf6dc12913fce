package desk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "desk") // t.TempDir can be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// first starts the first program on dir; stop ends it.
func first(t *testing.T, dir string) (i *Instance, stop func()) {
	t.Helper()
	i, err := Start(t.Context(), dir, "")
	if err != nil || i == nil {
		t.Fatalf("got %v, %v, want the first", i, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- i.Serve(t.Context(), func() { t.Error("asked to end") }) }()
	return i, func() {
		t.Helper()
		if err := errors.Join(i.Close(), <-ended); err != nil {
			t.Error(err)
		}
	}
}

func TestLaterStartsHandOver(t *testing.T) {
	dir := folder(t)
	i, stop := first(t, dir)
	for _, invite := range []string{"", "tuber://example.org/.tuber/join#abc", "\x1b]0;\n\x00\xff%s", strings.Repeat("ä", 1<<20)} {
		later, err := Start(t.Context(), dir, invite)
		if later != nil || err != nil {
			t.Fatalf("%.20q: got %v, %v, want it handed over", invite, later, err)
		}
		want := strings.ToValidUTF8(Bounded(invite), "\uFFFD")
		if got := <-i.Shown; got != want {
			t.Errorf("got %.40q (%d bytes), want %.40q (%d)", got, len(got), want, len(want))
		}
	}
	stop()
	_, stop = first(t, dir) // the folder is free again
	stop()
}

func TestABusyWindowIsSaid(t *testing.T) {
	dir := folder(t)
	_, stop := first(t, dir)
	defer stop()
	for range maxShown {
		if later, err := Start(t.Context(), dir, "x"); later != nil || err != nil {
			t.Fatal(later, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*tryEvery)
	defer cancel()
	if later, err := Start(ctx, dir, "x"); later != nil || err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("got %v, %v, want that the window is busy", later, err)
	}
}

// A program that holds the folder and does not answer yet is waited for.
func TestAStartDuringAnother(t *testing.T) {
	dir := folder(t)
	i, err := Start(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := Start(t.Context(), dir, "later")
		ended <- err
	}()
	ran := make(chan error, 1)
	time.AfterFunc(3*tryEvery, func() { ran <- i.Serve(t.Context(), func() {}) })
	if got := <-i.Shown; got != "later" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := errors.Join(i.Close(), <-ran); err != nil {
		t.Error(err)
	}
}

// Whoever asks for the end waits until the folder is free, and a start that
// comes while the program ends becomes the next one.
func TestAskedToEnd(t *testing.T) {
	dir := folder(t)
	nowhere := filepath.Join(dir, "never", "app")
	if err := Quit(t.Context(), nowhere); err != nil {
		t.Errorf("where nothing was ever kept: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(nowhere)); err == nil {
		t.Error("asking for the end made a folder")
	}
	if err := Quit(t.Context(), dir); err != nil {
		t.Errorf("where none runs: %v", err)
	}

	i, err := Start(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, quit := context.WithCancel(t.Context())
	served, ended := make(chan error, 1), make(chan error, 1)
	go func() { served <- i.Serve(ctx, quit) }()
	go func() { ended <- Quit(t.Context(), dir) }()
	<-ctx.Done() // it was asked; now it writes what it has to write
	next := make(chan *Instance, 1)
	go func() {
		later, err := Start(t.Context(), dir, "x")
		if err != nil {
			t.Error(err)
		}
		next <- later
	}()
	select {
	case err := <-ended:
		t.Errorf("the end was not waited for: %v", err)
	case <-next:
		t.Error("two programs on one folder")
	case <-time.After(5 * tryEvery):
	}
	if err := errors.Join(i.Close(), <-served); err != nil {
		t.Error(err)
	}
	later := <-next
	if later == nil {
		t.Fatal("the later start was taken by the one that ended")
	}
	if err := later.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A program that hangs is said to, in bounded time.
func TestOneThatDoesNotEnd(t *testing.T) {
	dir := folder(t)
	i, err := Start(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*tryEvery)
	defer cancel()
	if err := Quit(ctx, dir); err == nil || !strings.Contains(err.Error(), "does not end") {
		t.Errorf("got %v", err)
	}
}

func TestBounded(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("x", maxArgument), strings.Repeat("x", maxArgument+1), strings.Repeat("€", maxArgument), strings.Repeat("\x80", 2*maxArgument)} {
		got := Bounded(text)
		if len(got) > maxArgument || !strings.HasPrefix(text, got) || utf8.ValidString(text) && !utf8.ValidString(got) || len(text) > maxArgument && len(got) < maxArgument-utf8.UTFMax {
			t.Errorf("%d bytes: got %d", len(text), len(got))
		}
	}
}
