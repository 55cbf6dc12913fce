// Package origin is where a chunk is born. It is a reverse proxy before any web
// site: it leaves the site as it was, adds one script to its pages, follows the
// site's live streams, cuts what the share rules let out into runs of chunks,
// and signs them with the site key.
//
// Invariants:
//   - what a viewer gets over HTTP is what the site answered, byte for byte, but
//     for one script element in HTML documents and one line before the site's
//     own service worker; anything doubtful is passed on untouched;
//   - nothing enters a swarm unless Decide says so about the follower's own
//     fetch, which carries no cookies and no credentials;
//   - all bodies pass the host's Uplink: they are delayed, never refused;
//   - everything of Tuber's own lives under one prefix, and nothing else does.
//
// The way of a request: NewListener and NewServer bound what a stranger may
// hold, Origin.ServeHTTP answers the prefix, the follower answers what it has
// cut, and the proxy passes on the rest.
package origin
