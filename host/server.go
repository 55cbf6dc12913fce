package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// server is one HTTP server and its requests, hijacked ones included: those
// http.Server itself forgets.
type server struct {
	name     string
	http     *http.Server
	listener net.Listener
	cancel   context.CancelFunc // of the requests' contexts

	mu     sync.Mutex // guards the fields below
	ending bool
	open   sync.WaitGroup // requests; grows only while not ending
}

func newServer(name string, ln net.Listener, base *http.Server) *server {
	s := &server{name: name, http: base, listener: ln}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	handler := base.Handler
	base.BaseContext = func(net.Listener) context.Context { return ctx }
	base.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			refuse(w, http.StatusServiceUnavailable, "The host is stopping.")
			return
		}
		defer s.open.Done()
		handler.ServeHTTP(w, r)
	})
	return s
}

func (s *server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.open.Add(1)
	return true
}

func (s *server) serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// stop lets requests end for a moment, then ends them: an endless stream or a
// site's WebSocket would hold the host up for ever.
func (s *server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	_ = s.http.Shutdown(ctx) // what it leaves open is closed next
	s.mu.Lock()
	s.ending = true
	s.mu.Unlock()
	s.cancel()
	_ = s.http.Close()
	s.open.Wait()
}
