package origin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/hls"
)

// playlistTimeout bounds one fetch of a playlist, header and body. Upstream may
// hold it back for three target durations (rfc8216bis section 6.2.5.2).
const playlistTimeout = 30 * time.Second

// statusError is an answer that is not the one asked for.
type statusError struct{ status int }

func (e *statusError) Error() string { return fmt.Sprintf("upstream answered %d", e.status) }

// request makes the follower's own request: no cookie, no credentials, nothing
// of any viewer's.
func (f *follower) request(ctx context.Context, target string, want *hls.Range) (*http.Request, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("read URL: %w", err)
	}
	r := (&http.Request{
		Method: http.MethodGet, URL: u, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	r.Header.Set("User-Agent", "tuber")
	r.Header.Set("Accept-Encoding", "identity")
	if want != nil {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", want.Start, want.End()-1))
	}
	return r, nil
}

// fetched is a playlist of the follower's own.
type fetched struct {
	list   *hls.Playlist
	header http.Header
	at     time.Time // when upstream answered
}

// playlist fetches and reads a playlist, and asks Decide whether it may be shared.
func (f *follower) playlist(ctx context.Context, target string) (*fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, playlistTimeout)
	defer cancel()
	r, err := f.request(ctx, target, nil)
	if err != nil {
		return nil, err
	}
	res, err := f.site.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("fetch playlist: %w", err)
	}
	defer res.Body.Close()
	at := f.now()
	if res.StatusCode != http.StatusOK {
		return nil, &statusError{res.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, tuber.MaxPlaylist+1))
	if err != nil {
		return nil, fmt.Errorf("read playlist: %w", err)
	}
	list, err := hls.Parse(body)
	if err != nil {
		return nil, err
	}
	d := Decide(ShareRequest{
		Method: r.Method, Target: target, Header: r.Header,
		Status: res.StatusCode, Response: res.Header, Complete: true,
		Anonymous: true, Playlist: true, Rules: f.cfg.Rules, Now: at,
	})
	if !d.Share {
		return nil, &privateError{d.Reason}
	}
	return &fetched{list: list, header: res.Header, at: at}, nil
}

// privateError says why something stays out of the swarm.
type privateError struct{ reason string }

func (e *privateError) Error() string { return "not shared: " + e.reason }

// segment opens the body of a segment and says how long it and its URL's whole
// body are, -1 where upstream does not. A byte range comes as 206 with exactly
// the bytes asked for (RFC 9110 section 15.3.7), or is cut out of a whole 200.
func (f *follower) segment(ctx context.Context, target string, want *hls.Range) (res *http.Response, size, total int64, err error) {
	r, err := f.request(ctx, target, want)
	if err != nil {
		return nil, 0, 0, err
	}
	if res, err = f.site.RoundTrip(r); err != nil {
		return nil, 0, 0, fmt.Errorf("fetch segment: %w", err)
	}
	size, total, err = measure(res, want)
	if err != nil {
		res.Body.Close()
		return nil, 0, 0, err
	}
	return res, size, total, nil
}

// measure checks that res holds what was asked for and leaves just that in its body.
func measure(res *http.Response, want *hls.Range) (size, total int64, err error) {
	switch {
	case res.StatusCode == http.StatusOK && want == nil:
		return res.ContentLength, res.ContentLength, nil
	case res.StatusCode == http.StatusOK:
		if _, err := io.CopyN(io.Discard, res.Body, int64(want.Start)); err != nil {
			return 0, 0, fmt.Errorf("skip to byte %d: %w", want.Start, err)
		}
		res.Body = &limited{Reader: io.LimitReader(res.Body, int64(want.Length)), Closer: res.Body}
		return int64(want.Length), res.ContentLength, nil
	case res.StatusCode == http.StatusPartialContent && want != nil:
		var first, last uint64
		if _, err := fmt.Sscanf(res.Header.Get("Content-Range"), "bytes %d-%d/", &first, &last); err != nil ||
			first != want.Start || last+1 != want.End() {
			return 0, 0, fmt.Errorf("asked for bytes %d to %d, got %q", want.Start, want.End()-1, res.Header.Get("Content-Range"))
		}
		total = -1
		if _, after, ok := strings.Cut(res.Header.Get("Content-Range"), "/"); ok && after != "*" {
			if _, err := fmt.Sscanf(after, "%d", &total); err != nil || total < int64(want.End()) {
				return 0, 0, fmt.Errorf("range of a body of %q bytes", after)
			}
		}
		return int64(want.Length), total, nil
	}
	return 0, 0, &statusError{res.StatusCode}
}

// limited is a part of a body.
type limited struct {
	io.Reader
	io.Closer
}
