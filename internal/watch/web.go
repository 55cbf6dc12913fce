package watch

import (
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	requestTimeout = 10 * time.Second
	mediaTimeout   = 120 * time.Second // hls.js fragLoadPolicy maxLoadTimeMs
	maxDocument    = 2 << 20           // bytes of a page or a script that is read
	maxMedia       = 64 << 20
)

// newClient is one viewer's connections to the site, as one browser has them.
func newClient(insecure bool) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 6
	t.DisableCompression = true // bytes are counted as they travel
	if insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the user asked for it
		t.ForceAttemptHTTP2 = false
	}
	return &http.Client{Transport: t}
}

// request is one GET of a viewer.
type request struct {
	url    string
	header http.Header
	limit  int64
	packed bool // it may come compressed, as pages and scripts come to a browser

	within time.Duration // all of it
	to     sink          // given what comes; may be nil
}

// sink takes an answer as it comes.
type sink interface {
	head(total int64) // bytes of it, -1 if nobody says
	io.Writer
}

// reply is its answer.
type reply struct {
	url    string // after redirects
	status int
	body   []byte
	delay  time.Duration // until the headers
	rest   time.Duration // from there to the end
}

// get reads a whole answer; any status but 200 and 206 is an error.
func get(ctx context.Context, c *http.Client, q request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(q.within, requestTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, nil)
	if err != nil {
		return reply{}, fmt.Errorf("get: %w", err)
	}
	for k, v := range q.header {
		req.Header[k] = v
	}
	if q.packed {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	began := time.Now()
	resp, err := c.Do(req)
	if err != nil {
		return reply{}, err // it names the act and the URL
	}
	defer resp.Body.Close()
	r := reply{url: resp.Request.URL.String(), status: resp.StatusCode, delay: time.Since(began)}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		return r, fmt.Errorf("get %s: status %d", q.url, resp.StatusCode)
	}
	body := io.Reader(resp.Body)
	if q.packed && resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return r, fmt.Errorf("get %s: %w", q.url, err)
		}
	}
	body = io.LimitReader(body, q.limit+1)
	if q.to != nil {
		q.to.head(resp.ContentLength)
		body = io.TeeReader(body, q.to)
	}
	r.body, err = io.ReadAll(body)
	r.rest = time.Since(began) - r.delay
	switch {
	case err != nil:
		return r, fmt.Errorf("get %s: %w", q.url, err)
	case int64(len(r.body)) > q.limit:
		return r, fmt.Errorf("get %s: more than %d bytes", q.url, q.limit)
	}
	return r, nil
}
