package desk

import (
	"context"
	"os"
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
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	return i, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
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
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	time.AfterFunc(3*tryEvery, func() { ran <- i.Run(ctx) })
	if got := <-i.Shown; got != "later" {
		t.Errorf("got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
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
