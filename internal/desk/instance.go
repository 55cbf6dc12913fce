package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/gofrs/flock"

	"github.com/tubercdn/tuber/internal/admin"
	"github.com/tubercdn/tuber/internal/machine"
)

const (
	maxArgument = 4 << 10               // bytes of an invite that are handed over
	maxQuestion = 6*maxArgument + 1<<10 // bytes: a character may become \u0000
	maxShown    = 8                     // later starts that wait for the window
	tryEvery    = 100 * time.Millisecond
	tryFor      = 10 * time.Second
	endFor      = 20 * time.Second // a program that was asked to end, with all it has to write
)

// Instance is the one running program on a folder.
type Instance struct {
	// Shown gets what each later start was given, or "". It is never closed.
	Shown <-chan string

	shown    chan string
	lock     *flock.Flock
	listener net.Listener
}

// starting is what a later start tells the first.
type starting struct {
	Invite string `json:"invite,omitempty"`
}

// Start makes this program the one on dir, or hands what it was given to the
// one that runs there already: then the instance is nil, and so is the error.
func Start(ctx context.Context, dir, invite string) (*Instance, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "app.lock"), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	for { // the other one may be about to start or to end
		mine, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
		}
		if mine {
			return newInstance(lock, dir)
		}
		if err = handOver(ctx, dir, invite); err == nil {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another Tuber runs already, but does not answer (%w); end it, or log out and in again", err)
		case <-time.After(tryEvery):
		}
	}
}

// Quit has the program that runs on dir end, and waits for it. It is well, too,
// where none runs.
func Quit(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // and nothing is made there
	}
	lock := flock.New(filepath.Join(dir, "app.lock"), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, endFor)
	defer cancel()
	for asked := false; ; {
		free, err := lock.TryLock()
		if err != nil {
			return fmt.Errorf("lock %s: %w", lock.Path(), err)
		}
		if free {
			return lock.Close()
		}
		if !asked { // it may be about to start
			err = askToEnd(ctx, dir)
			asked = err == nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("the Tuber that runs does not end"), err)
		case <-time.After(tryEvery):
		}
	}
}

func askToEnd(ctx context.Context, dir string) error {
	c, err := admin.Dial(dir, "the window")
	if err != nil {
		return err
	}
	return c.CallContext(ctx, http.MethodPost, "/quit", nil, nil)
}

func handOver(ctx context.Context, dir, invite string) error {
	c, err := admin.Dial(dir, "the window")
	if err != nil {
		return err
	}
	machine.GiveFront()
	return c.CallContext(ctx, http.MethodPost, "/show", starting{Bounded(invite)}, nil)
}

// Bounded cuts text from elsewhere to what is handed on. An invite is shorter.
func Bounded(text string) string {
	if len(text) <= maxArgument {
		return text
	}
	end := maxArgument
	for end > maxArgument-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

func newInstance(lock *flock.Flock, dir string) (*Instance, error) {
	ln, err := admin.Listen(dir)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	shown := make(chan string, maxShown)
	return &Instance{Shown: shown, shown: shown, lock: lock, listener: ln}, nil
}

// Serve answers later starts until Close. Once ctx has ended they are told to
// wait for that; quit, which must end ctx, is called if one asks for the end.
func (i *Instance) Serve(ctx context.Context, quit func()) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /show", func(w http.ResponseWriter, r *http.Request) { i.show(ctx, w, r) })
	mux.HandleFunc("POST /quit", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("{}")) // whoever asked may have gone
		quit()
	})
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10,
	}
	err := server.Serve(i.listener)
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, server.Close())
}

// Close lets go of the folder: another program may start there.
func (i *Instance) Close() error {
	err := i.listener.Close()
	return errors.Join(err, i.lock.Close())
}

func (i *Instance) show(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	var s starting
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion)).Decode(&s); err != nil {
		http.Error(w, "the question is not JSON", http.StatusBadRequest)
		return
	}
	if ctx.Err() != nil { // nobody would see the window
		http.Error(w, "it is about to end", http.StatusServiceUnavailable)
		return
	}
	select {
	case i.shown <- Bounded(s.Invite):
		_, _ = w.Write([]byte("{}"))
	default:
		http.Error(w, "the window is busy", http.StatusServiceUnavailable)
	}
}
