package origin

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tubercdn/tuber"
)

// TestTrustedProxysVisitors are bounded one by one.
func TestTrustedProxysVisitors(t *testing.T) {
	hold, in := make(chan bool), make(chan bool)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { in <- true; <-hold }),
		func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	s.origin.visitors.most = 2
	done := make(chan int, 2)
	for range 2 {
		go func() { done <- s.status("X-Forwarded-For", "192.0.2.1") }()
		<-in
	}
	if res, _ := s.ask("GET", "/", nil, "X-Forwarded-For", "192.0.2.1"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("third request of one visitor: got %d, want 429", res.StatusCode)
	}
	go func() { <-in; close(hold) }()
	if res, _ := s.ask("GET", "/", nil, "X-Forwarded-For", "192.0.2.2"); res.StatusCode != 200 {
		t.Errorf("another visitor: got %d, want 200", res.StatusCode)
	}
	for range 2 {
		if status := <-done; status != 200 {
			t.Errorf("an admitted request got %d", status)
		}
	}
}

// TestVisitorsNobodyNames: where a trusted proxy does not say for whom it asks, all
// its visitors are not taken for one; where it does, they are bounded.
func TestVisitorsNobodyNames(t *testing.T) {
	for _, c := range []struct {
		name, trusted, forwarded string
		limited                  bool
	}{
		{"nothing said", "127.0.0.1/32", "", false},
		{"junk", "127.0.0.1/32", "junk", false},
		{"junk behind a visitor", "127.0.0.1/32", "192.0.2.1, junk", false},
		{"only proxies", "127.0.0.0/8", "127.0.0.9", false},
		{"a visitor behind junk", "127.0.0.1/32", "junk, 192.0.2.1", true},
		{"a visitor behind two proxies", "127.0.0.0/8", "192.0.2.1, 127.0.0.9", true},
	} {
		if got := refusedOf(t, 3, 2, c.trusted, c.forwarded); got != c.limited {
			t.Errorf("%s: one of 3 requests at once was refused where 2 are allowed: %v, want %v", c.name, got, c.limited)
		}
	}
}

// refusedOf holds n requests at once, of which one visitor may have most, and
// tells whether any got 429. All others must get 200.
func refusedOf(t *testing.T, n, most int, trusted, forwarded string) (refused bool) {
	in, hold := make(chan bool), make(chan bool)
	s := put(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { in <- true; <-hold }),
		func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(trusted)} })
	s.origin.visitors.most = most
	var headers []string
	if forwarded != "" {
		headers = []string{"X-Forwarded-For", forwarded}
	}
	var all sync.WaitGroup
	answered := make(chan int, n)
	for range n { // one by one: those before it are held
		all.Go(func() { answered <- s.status(headers...) })
		select {
		case <-in:
		case got := <-answered:
			refused = true
			answered <- got
		}
	}
	close(hold)
	all.Wait()
	close(answered)
	for got := range answered {
		if got != 200 && got != http.StatusTooManyRequests {
			t.Errorf("forwarded for %q: got %d", forwarded, got)
		}
	}
	return refused
}

// status is that of the answer to a request for the front page, 0 if none came.
func (s *stand) status(headers ...string) int {
	r, _ := http.NewRequest("GET", s.url+"/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := s.client.Do(r)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// TestUplinkMetersBodies: media waits for the line, in the right class; a cap of
// nothing delays media for good but refuses nothing.
func TestUplinkMetersBodies(t *testing.T) {
	const size = 100_000
	up := tuber.NewUplink(tuber.Unlimited)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, io.LimitReader(zeros{}, size))
		}
	}), func(c *Config) { c.Uplink = up })
	for _, c := range []struct {
		method, kind string
		class        tuber.Class
		later        bool
		want         uint64
	}{
		{"GET", "text/html", tuber.ClassControl, false, size},
		{"GET", "application/vnd.apple.mpegurl", tuber.ClassControl, false, size},
		{"GET", "audio/mpegurl", tuber.ClassControl, false, size},
		{"GET", "text/javascript", tuber.ClassStart, false, size},
		{"GET", "video/mp2t", tuber.ClassStart, false, size},
		{"GET", "video/mp2t", tuber.ClassRest, true, size},
		{"GET", "audio/aac", tuber.ClassRest, true, size},
		{"HEAD", "video/mp2t", tuber.ClassRest, true, 0},
	} {
		if c.later {
			s.origin.starts.age(2 * startSpan)
		}
		before, all := up.Sent(c.class), up.Total()
		s.ask(c.method, "/?type="+c.kind, nil)
		if got := up.Sent(c.class) - before; got != c.want || up.Total()-all != c.want {
			t.Errorf("%s %s: %d bytes in class %d, %d in all, want %d", c.method, c.kind, got, c.class, up.Total()-all, c.want)
		}
	}
	up.SetRate(0)
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/?type=video/mp2t", nil)
	answered := make(chan error, 1)
	go func() {
		res, err := s.client.Do(r)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("answered without an uplink: %v", err)
	default:
	}
	up.SetRate(tuber.Unlimited)
	if err := <-answered; err != nil {
		t.Errorf("after the line came back: %v", err)
	}
	cancel()
}

// What is short goes before the first copies, and what Tuber's pages need.
func TestClassOf(t *testing.T) {
	o := put(t, http.NotFoundHandler(), func(*Config) {}).origin
	for _, c := range []struct {
		path, kind, length string
		want               tuber.Class
	}{
		{"/", "text/html; charset=utf-8", "900000", tuber.ClassControl},
		{"/api", "application/json", "120", tuber.ClassControl},
		{"/api", "application/json", "120000", tuber.ClassStart},
		{"/api", "application/json", "", tuber.ClassStart}, // nobody says how long it will be
		{"/player.js", "text/javascript", "500000", tuber.ClassStart},
		{"/poster.jpg", "image/jpeg", "500000", tuber.ClassStart},
		{tuber.DefaultPrefix + "page.js", "text/javascript", "70000", tuber.ClassControl},
		{"/live.m3u8", "application/vnd.apple.mpegurl", "70000", tuber.ClassControl},
		{"/1.ts", "video/mp2t", "700", tuber.ClassStart},
	} {
		h := http.Header{"Content-Type": {c.kind}}
		if c.length != "" {
			h.Set("Content-Length", c.length)
		}
		if got := o.classOf(c.path, h, visitor{}); got != c.want {
			t.Errorf("%s, %s, %q long: class %d, want %d", c.path, c.kind, c.length, got, c.want)
		}
	}
}

// age makes all that the visitors got lie in the past.
func (s *starts) age(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, sp := range s.spans {
		s.spans[a] = span{first: sp.first.Add(-by), last: sp.last}
	}
}

func TestMeterPassesWhatServersOffer(t *testing.T) {
	rec := httptest.NewRecorder()
	o, err := New(Config{Handler: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	m := o.metered(rec, httptest.NewRequest("GET", "/", nil), visitor{})
	if _, err := m.Write(make([]byte, 3*meterStep+1)); err != nil || rec.Body.Len() != 3*meterStep+1 {
		t.Errorf("wrote %d bytes, %v", rec.Body.Len(), err)
	}
	if err := http.NewResponseController(m).Flush(); err != nil || !rec.Flushed {
		t.Errorf("flush: %v", err)
	}
}

// sizedWriter is a client that takes each write after a delay.
type sizedWriter struct {
	http.ResponseWriter
	delay func(i int) time.Duration
	sizes []int
}

func (w *sizedWriter) Write(p []byte) (int, error) {
	<-time.After(w.delay(len(w.sizes)))
	w.sizes = append(w.sizes, len(p))
	return len(p), nil
}

// Steps grow for a client that takes them at once, and only on a line on which
// nothing waits long for one.
func TestMeterSteps(t *testing.T) {
	const k = 1 << 10
	for _, tt := range []struct {
		name string
		up   tuber.BitsPerSecond
		slow int // the write that the client takes late, -1 for none
		want []int
	}{
		{"no cap", tuber.Unlimited, -1, []int{16 * k, 32 * k, 64 * k, 128 * k, 60 * k}},
		{"slow once", tuber.Unlimited, 2, []int{16 * k, 32 * k, 64 * k, 16 * k, 32 * k, 64 * k, 76 * k}},
		{"home line", 2e6, -1, slices.Repeat([]int{16 * k}, 18)},
		{"gigabit", 1e9, -1, []int{16 * k, 32 * k, 64 * k, 125000, 300*k - 112*k - 125000}},
	} {
		synctest.Test(t, func(t *testing.T) {
			o, err := New(Config{Handler: http.NotFoundHandler(), Uplink: tuber.NewUplink(tt.up)})
			if err != nil {
				t.Fatal(err)
			}
			w := &sizedWriter{ResponseWriter: httptest.NewRecorder(), delay: func(i int) time.Duration {
				if i == tt.slow {
					return 2 * writeQuick
				}
				return time.Millisecond
			}}
			m := o.metered(w, httptest.NewRequest("GET", "/", nil), visitor{})
			n := 300 * k
			if tt.up == 2e6 {
				n = 18 * 16 * k
			}
			if _, err := m.Write(make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.sizes, tt.want) {
				t.Errorf("%s: wrote %v, want %v", tt.name, w.sizes, tt.want)
			}
			if got := o.cfg.Uplink.Total(); got != uint64(n) {
				t.Errorf("%s: counted %d bytes, want %d", tt.name, got, n)
			}
		})
	}
}

// A body without end does not keep from the line what began after it.
func TestALongBodyTakesTurns(t *testing.T) {
	up := tuber.NewUplink(8e6)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "video/mp2t")
		if r.URL.Path == "/short.ts" {
			_, _ = io.Copy(w, io.LimitReader(zeros{}, 100_000))
			return
		}
		_, _ = io.Copy(w, zeros{})
	}), func(c *Config) { c.Uplink = up })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/long.ts", nil)
	long, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer long.Body.Close()
	if _, err := io.CopyN(io.Discard, long.Body, meterTurn/2); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, long.Body) }()
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, _ = http.NewRequestWithContext(ctx, "GET", s.url+"/short.ts", nil)
	short, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer short.Body.Close()
	if n, err := io.Copy(io.Discard, short.Body); err != nil || n != 100_000 {
		t.Errorf("%d bytes beside a body without end: %v", n, err)
	}
}

// A player gives up on what does not even begin: the header does not wait.
func TestTheHeaderDoesNotWait(t *testing.T) {
	up := tuber.NewUplink(0)
	s := put(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "video/mp2t")
		w.Header().Set("Content-Length", "100000")
		_, _ = io.Copy(w, io.LimitReader(zeros{}, 100_000))
	}), func(c *Config) { c.Uplink = up })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/1.ts", nil)
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatalf("nothing began behind a line that is closed: %v", err)
	}
	defer res.Body.Close()
	up.SetRate(tuber.Unlimited)
	if n, err := io.Copy(io.Discard, res.Body); err != nil || n != 100_000 {
		t.Errorf("%d bytes once the line was open: %v", n, err)
	}
}
