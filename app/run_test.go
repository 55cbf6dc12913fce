package app

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
)

// TestRunLeavesNothingBehind: Fyne's headless driver ends at once, and Run waits
// for every goroutine it started.
func TestRunLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	c := &calls{}
	began := make(chan struct{})
	code := Run(context.Background(), Config{
		Engine:  &fakeEngine{calls: c, settings: tuber.DefaultSettings()},
		Hosting: &fakeHosting{calls: c}, Desk: &fakeDesk{calls: c},
		Begin: func() error { close(began); return nil },
		Shown: make(chan string),
	})
	if code != 0 {
		t.Errorf("Run returned %d", code)
	}
	<-began
	goleak.VerifyNone(t, before, // and Fyne's own, which end with the program
		goleak.IgnoreAnyFunction("github.com/fsnotify/fsnotify.(*inotify).readEvents"),
		goleak.IgnoreAnyFunction("fyne.io/fyne/v2/app.watchFile.func1"),
		goleak.IgnoreAnyFunction("fyne.io/fyne/v2/internal/async.(*UnboundedChan[...]).processing"),
		goleak.IgnoreAnyFunction("fyne.io/fyne/v2/internal/app.(*Lifecycle).RunEventQueue"))
}
