package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
		if err = handOver(dir, invite); err == nil {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another Tuber runs already, but does not answer (%w); end it, or log out and in again", err)
		case <-time.After(tryEvery):
		}
	}
}

func handOver(dir, invite string) error {
	c, err := admin.Dial(dir, "the window")
	if err != nil {
		return err
	}
	machine.GiveFront()
	return c.Call(http.MethodPost, "/show", starting{Bounded(invite)}, nil)
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

// Run answers later starts until ctx ends, and lets go of the folder.
func (i *Instance) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /show", i.show)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // Serve says the rest
	defer stop()
	err := server.Serve(i.listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, i.lock.Close())
}

func (i *Instance) show(w http.ResponseWriter, r *http.Request) {
	var s starting
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuestion)).Decode(&s); err != nil {
		http.Error(w, "the question is not JSON", http.StatusBadRequest)
		return
	}
	select {
	case i.shown <- Bounded(s.Invite):
		_, _ = w.Write([]byte("{}")) // whoever asked may have gone
	default:
		http.Error(w, "the window is busy", http.StatusServiceUnavailable)
	}
}
