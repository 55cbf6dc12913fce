package origin

import (
	"errors"
	"net/http"
	"regexp"
	"time"
)

// ShareRule is an operator's permission: what it matches may enter the swarm,
// if nothing in the response speaks against it.
type ShareRule struct {
	// Path matches the whole decoded, normalised path (RE2, anchored at both ends).
	Path *regexp.Regexp
	// For is how long a copy may be shared where the response does not say, and
	// at most where it does ("share-for"); 0 leaves it to the response.
	For time.Duration
	// Drop are query keys that may be there although they look like a signature.
	Drop []string
}

func (r *ShareRule) valid() error {
	if r.Path == nil {
		return errors.New("it has no path")
	}
	if r.For < 0 {
		return errors.New("its duration is negative")
	}
	return nil
}

// ShareRequest is what Decide judges: the follower's own fetch.
type ShareRequest struct {
	Method string      // of the fetch
	Target string      // path and query, as sent upstream
	Header http.Header // of the fetch; credentials in it forbid sharing

	Status   int
	Response http.Header
	Complete bool // the whole body came, as long as it was announced

	// Anonymous: the bytes are those of the follower's own fetch, which carried
	// no cookies and no credentials.
	Anonymous bool
	// Playlist: it is the media playlist of a stream that is being followed, to
	// be signed for a few target durations.
	Playlist bool
	// Window is how long a media playlist that anyone can read lists this
	// segment; 0 if none does.
	Window time.Duration

	Rules []ShareRule
	Now   time.Time
}

// Decision is the answer of Decide.
type Decision struct {
	Share  bool
	Reason string        // why not, for the log; empty if shared
	Fresh  time.Duration // how long peers may serve it; 0 for a playlist
}
