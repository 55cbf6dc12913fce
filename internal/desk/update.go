package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/release"
)

const (
	releases  = "https://github.com/tubercdn/tuber/releases/"
	newest    = "latest/download/"
	page      = "tag/v"
	maxSums   = 64 << 10 // bytes of SHA256SUMS
	maxSig    = 1 << 10  // bytes of its signature
	fetchIn   = 20 * time.Second
	redirects = 5
)

// newClient follows redirects to https alone. A nil transport is the usual one.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if req.URL.Scheme != "https" || len(via) > redirects {
				return errors.New("it leads elsewhere than it may")
			}
			return nil
		},
	}
}

// CheckUpdate asks for the newest release; a zero one means that this is it.
// It goes to the network only while AppSettings.CheckUpdates is on.
func (d *Desk) CheckUpdate(ctx context.Context) (tuber.Release, error) {
	r, err := d.newer(ctx)
	if err != nil {
		return tuber.Release{}, fmt.Errorf("look for a newer release: %w", err)
	}
	return r, nil
}

func (d *Desk) newer(ctx context.Context) (tuber.Release, error) {
	var none tuber.Release
	if !d.Settings().CheckUpdates {
		return none, errors.New("that is switched off")
	}
	mine, ok := parseVersion(semverOnly, d.o.Version)
	if !ok || d.o.Key == nil {
		return none, errors.New("this program is no release itself")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchIn)
	defer cancel()
	sums, err := d.fetch(ctx, "SHA256SUMS", maxSums)
	if err != nil {
		return none, err
	}
	sig, err := d.fetch(ctx, "SHA256SUMS.sig", maxSig)
	if err != nil {
		return none, err
	}
	if err := release.Verify(d.o.Key, sums, sig); err != nil {
		return none, err
	}
	theirs, err := versionOf(string(sums))
	if err != nil {
		return none, err
	}
	if theirs.pre || !mine.before(theirs) {
		return none, nil
	}
	return tuber.Release{Version: theirs.String(), Page: releases + page + theirs.String()}, nil
}

func (d *Desk) fetch(ctx context.Context, name string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.from+newest+name, nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the answer is %q", name, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s: over %d bytes", name, most)
	}
	return b, nil
}

// semver is a version: major, minor, patch, and whether it comes before the
// release of that name, such as 1.2.3-rc1.
type semver struct {
	n   [3]int
	pre bool
}

const semverText = `([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})([-~](?:rc|beta|alpha)[a-z0-9.]*)?`

var (
	semverOnly = regexp.MustCompile(`^v?` + semverText + `$`)
	semverIn   = regexp.MustCompile(semverText)
)

func parseVersion(in *regexp.Regexp, text string) (v semver, ok bool) {
	m := in.FindStringSubmatch(text)
	if m == nil {
		return v, false
	}
	for i := range v.n {
		v.n[i], _ = strconv.Atoi(m[i+1]) // six digits are a number
	}
	v.pre = m[4] != ""
	return v, true
}

func (v semver) String() string { return fmt.Sprintf("%d.%d.%d", v.n[0], v.n[1], v.n[2]) }

func (v semver) before(w semver) bool {
	if c := slices.Compare(v.n[:], w.n[:]); c != 0 {
		return c < 0
	}
	return v.pre && !w.pre
}

// versionOf reads the version of a release from the names of its files, which
// are what was signed. All that name one name the same.
func versionOf(sums string) (semver, error) {
	var found semver
	var seen bool
	for line := range strings.Lines(sums) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, ok := parseVersion(semverIn, name)
		if !ok {
			continue
		}
		if seen && v != found {
			return v, fmt.Errorf("SHA256SUMS names versions %v and %v", found, v)
		}
		found, seen = v, true
	}
	if !seen {
		return found, errors.New("SHA256SUMS names no version")
	}
	return found, nil
}
