package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// site is what a page says about itself: its stream, and its swarm if it has one.
type site struct {
	base     *url.URL // scheme and host
	playlist string   // absolute URL
	swarm    *pageConfig
	why      string // why there is no swarm; for people
}

// pageConfig is the configuration line of the page's script (package web).
type pageConfig struct {
	Prefix  string          `json:"prefix"`
	Site    tuber.PublicKey `json:"site"`
	Relay   string          `json:"relay"`
	Enabled bool            `json:"enabled"`
}

const configLine = "self.__TUBER__="

var (
	scriptTag   = regexp.MustCompile(`<script[^>]+src=["']?([^"'\s>]+)`)
	pageScript  = regexp.MustCompile(`^(/.*/)page\.js(\?.*)?$`)
	playlistURL = regexp.MustCompile(`["'=]([^"'<>\s=]+\.m3u8?(?:\?[^"'<>\s]*)?)["'\s>]`)
)

const maxScripts = 8 // of a page, looked through for its playlist

// findSite loads a page as a browser does, or a playlist by its own URL.
func findSite(ctx context.Context, c *http.Client, address string) (*site, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%.120q is no address of a page or a playlist: write one such as https://example.org/", address)
	}
	page, err := get(ctx, c, request{url: address, limit: maxDocument, packed: true, header: http.Header{
		"Accept": {"text/html,*/*;q=0.8"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"},
	}})
	if err != nil {
		return nil, err
	}
	if u, err = url.Parse(page.url); err != nil {
		return nil, fmt.Errorf("follow a redirect: %w", err)
	}
	s := &site{base: &url.URL{Scheme: u.Scheme, Host: u.Host}}
	prefix := tuber.DefaultPrefix
	if hls.Looks(page.body) {
		s.playlist = u.String()
	} else if prefix, err = s.readPage(ctx, c, u, page.body); err != nil {
		return nil, err
	}
	s.findSwarm(ctx, c, prefix)
	return s, nil
}

// readPage finds the swarm's prefix and the playlist in a page and its scripts.
func (s *site) readPage(ctx context.Context, c *http.Client, at *url.URL, page []byte) (prefix string, err error) {
	prefix = tuber.DefaultPrefix
	var scripts []string
	for _, m := range scriptTag.FindAllSubmatch(page, -1) {
		u, err := at.Parse(string(m[1]))
		if err != nil || u.Host != at.Host {
			continue
		}
		if p := pageScript.FindStringSubmatch(u.Path); p != nil {
			prefix = p[1]
		} else if len(scripts) < maxScripts {
			scripts = append(scripts, u.String())
		}
	}
	texts := [][]byte{page}
	for {
		for _, t := range texts {
			if m := playlistURL.FindSubmatch(t); m != nil {
				u, err := at.Parse(string(m[1]))
				if err != nil {
					return "", fmt.Errorf("the page's playlist: %w", err)
				}
				s.playlist = u.String()
				return prefix, nil
			}
		}
		if len(scripts) == 0 {
			return "", errors.New("the page names no HLS playlist that can be seen without running its scripts: give the playlist's own address")
		}
		if r, err := get(ctx, c, request{url: scripts[0], limit: maxDocument, packed: true}); err == nil && len(r.body) < 64<<10 {
			texts = [][]byte{r.body} // a larger one is a library, not the page's own
		} else {
			texts = nil
		}
		scripts = scripts[1:]
	}
}

// findSwarm reads the configuration that the page's script begins with.
func (s *site) findSwarm(ctx context.Context, c *http.Client, prefix string) {
	r, err := get(ctx, c, request{url: s.base.String() + prefix + "page.js", limit: maxDocument, packed: true})
	if err != nil {
		s.why = "the site has no script of Tuber's"
		return
	}
	rest, ok := bytes.CutPrefix(r.body, []byte(configLine))
	var cfg pageConfig
	if !ok || json.NewDecoder(bytes.NewReader(rest)).Decode(&cfg) != nil {
		s.why = "the site's script is not Tuber's"
		return
	}
	switch {
	case !cfg.Enabled:
		s.why = "the host switched peers off"
	case s.base.Scheme == "http" && !local(s.base.Hostname(), false):
		s.why = "the site has no HTTPS, so browsers would not join either"
	default:
		s.swarm = &cfg
	}
}

// local tells whether a host is this machine, or with lan one that is near it.
func local(host string, lan bool) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && (a.IsLoopback() || lan && (a.IsPrivate() || a.IsLinkLocalUnicast()))
}

// resolve is a URL of the playlist as a piece: its path names it to peers if it
// is on the site itself.
func (s *site) resolve(playlist, uri string, rng *hls.Range) (piece, error) {
	base, err := url.Parse(playlist)
	if err != nil {
		return piece{}, fmt.Errorf("playlist's URL: %w", err)
	}
	u, err := base.Parse(uri)
	if err != nil {
		return piece{}, fmt.Errorf("segment's URL: %w", err)
	}
	return piece{url: u.String(), path: s.path(u), rng: rng}, nil
}

// path is how the swarm names a URL; empty for one of another site.
func (s *site) path(u *url.URL) string {
	if u.Host != s.base.Host || u.Scheme != s.base.Scheme {
		return ""
	}
	return u.RequestURI()
}
