package origin

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tubercdn/tuber"
)

// FollowMode says when the follower watches a stream.
type FollowMode string

const (
	FollowViewer FollowMode = "viewer" // from the first viewer until nobody watches
	FollowAlways FollowMode = "always" // also without viewers, for the playlists in Config.Always
)

// Publication is what the follower hands on when something new was cut. All of
// it is signed or verified; the receiver keeps it without copying, read only.
type Publication struct {
	Content   tuber.Content
	Update    *tuber.SignedUpdate // nil while the playlist has not changed
	Playlist  []byte              // the one that Update states
	Manifests []*tuber.SignedManifest
	Chunks    []tuber.VerifiedChunk
}

// Publisher takes what the origin cuts to the planner and to the links.
// Neither call may block for long: the follower waits for them.
type Publisher interface {
	SetContents([]tuber.Content)
	Publish(Publication)
}

// Tickets admits viewers; a planner makes it.
type Tickets interface {
	Ticket(tuber.Fingerprint) string
}

// Scripts are the two bundles that browsers load, configuration included.
type Scripts interface {
	Page() []byte   // served as PREFIX page.js
	Worker() []byte // served as PREFIX sw.js
}

// Config is everything an Origin needs to know. Upstream or Handler must be
// set; every other field has a working zero value, except that nothing is
// followed without a Key.
type Config struct {
	// Upstream is the site: scheme, host and an optional base path.
	Upstream *url.URL
	// Handler is the site where there is no web server (--files).
	Handler http.Handler
	// Host is sent upstream as the Host of every request. Empty: viewers' own,
	// and Upstream's for what the follower fetches.
	Host string
	// Prefix is the reserved path, "/.tuber/" if empty. It begins and ends with a slash.
	Prefix string

	// Key is the site key. Nothing else signs manifests and updates.
	Key ed25519.PrivateKey
	// Epoch is the version of this origin's streams; each start has a higher one.
	Epoch tuber.Epoch

	// Follow is FollowViewer if empty.
	Follow FollowMode
	// Always are the paths of playlists that are followed without viewers.
	Always []string
	// Rules are the operator's permissions to share (see Decide).
	Rules []ShareRule
	// Publisher gets what is cut; nil drops it.
	Publisher Publisher

	// Tickets and PlannerKey answer PREFIX ticket; nil answers 503.
	Tickets    Tickets
	PlannerKey tuber.PublicKey
	// Scripts are served and injected; nil injects nothing.
	Scripts Scripts
	// Off is the host's switch: while it answers true there are no tickets. The
	// script is injected all the same: its configuration says that peers are off,
	// and so it unregisters the worker that an earlier visit left behind.
	Off func() bool

	// Uplink meters all bodies; nil never delays.
	Uplink *tuber.Uplink
	// Free is what peers leave of the uplink, if that is known. Streams in several
	// renditions are answered at that rate. Nil: never known.
	Free func() (tuber.BitsPerSecond, bool)
	// TrustedProxies are the peers whose X-Forwarded-* headers are believed.
	TrustedProxies []netip.Prefix

	Log *slog.Logger // nil discards
}

// Origin is one site behind Tuber.
type Origin struct {
	cfg      Config
	proxy    *httputil.ReverseProxy
	pages    *injector
	follower *follower
	starts   *starts
	pacing   pacing
	visitors *visitors
	bundles  bundles
}

// New checks the configuration and fills in what it leaves out.
func New(cfg Config) (*Origin, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	o := &Origin{cfg: cfg, starts: newStarts(), visitors: newVisitors(maxPerVisitor)}
	o.pages = newInjector(&o.cfg)
	site := newUpstream(&o.cfg)
	o.pacing = pacing{free: o.cfg.Free, uplink: o.cfg.Uplink}
	o.follower = newFollower(&o.cfg, site)
	o.proxy = o.newProxy(site)
	return o, nil
}

func (c *Config) complete() error {
	if c.Prefix == "" {
		c.Prefix = tuber.DefaultPrefix
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Follow == "" {
		c.Follow = FollowViewer
	}
	switch {
	case (c.Upstream == nil) == (c.Handler == nil):
		return errors.New("origin: give it either an upstream URL or a handler")
	case c.Upstream != nil && (c.Upstream.Scheme != "http" && c.Upstream.Scheme != "https" || c.Upstream.Host == ""):
		return fmt.Errorf("origin: upstream %q must be a URL like http://127.0.0.1:8080", c.Upstream.Redacted())
	case len(c.Prefix) < 3 || c.Prefix[0] != '/' || !strings.HasSuffix(c.Prefix, "/") || !plainPath(c.Prefix):
		return fmt.Errorf("origin: prefix %q must be a path like %s", c.Prefix, tuber.DefaultPrefix)
	case c.Follow != FollowViewer && c.Follow != FollowAlways:
		return fmt.Errorf("origin: follow mode %q, want %q or %q", c.Follow, FollowViewer, FollowAlways)
	case c.Key != nil && len(c.Key) != ed25519.PrivateKeySize:
		return fmt.Errorf("origin: site key of %d bytes, want %d", len(c.Key), ed25519.PrivateKeySize)
	}
	for i := range c.Rules {
		if err := c.Rules[i].valid(); err != nil {
			return fmt.Errorf("origin: share rule %d: %w", i+1, err)
		}
	}
	return nil
}

// Run follows streams until ctx ends. Requests may be served before and after;
// without Run they all go to the site.
func (o *Origin) Run(ctx context.Context) error { return o.follower.Run(ctx) }

// ServeHTTP answers the reserved prefix and what was cut from memory, and
// passes on everything else to the site.
func (o *Origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := o.cfg.visitor(r)
	m := o.metered(w, r, from)
	defer m.done()
	w = m
	if from.proxied && !o.cfg.trusts(from.addr) { // a proxy that names nobody speaks for many
		if !o.visitors.enter(from.addr) {
			refuse(w, http.StatusTooManyRequests, "Too many requests at once from your address.")
			return
		}
		defer o.visitors.leave(from.addr)
	}
	if r.Method == http.MethodConnect {
		refuse(w, http.StatusMethodNotAllowed, "This is a web site, not a proxy for others.")
		return
	}
	if rest, ours := strings.CutPrefix(r.URL.Path, o.cfg.Prefix); ours {
		o.serveOwn(w, r, rest)
		return
	}
	if o.cfg.leadsOut(r.URL.Path) {
		refuse(w, http.StatusBadRequest, "The path leads out of the site.")
		return
	}
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && o.follower.serve(w, r) {
		return
	}
	if r.ProtoMajor == 1 && r.Body != http.NoBody {
		_ = m.control.EnableFullDuplex() // a site may answer while it reads; fails only for fake writers
	}
	defer m.flushAborted()
	o.proxy.ServeHTTP(w, r)
}
