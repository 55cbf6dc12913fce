// Package web is what runs in a viewer's browser: a service worker that answers
// the player, and a page peer that holds the links and verifies every chunk. It
// is written in TypeScript under src; the bundles in dist are made by go
// generate, committed, and embedded here, so that building Tuber needs no Node.
//
// Invariant: the bundles in dist are those of src. A test holds it.
package web

//go:generate go run ./bundle

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"sync"

	"github.com/tubercdn/tuber"
)

//go:embed dist/page.js
var page []byte

//go:embed dist/sw.js
var worker []byte

// DefaultPatterns are what the worker may intercept unless the host says otherwise.
func DefaultPatterns() []string {
	return []string{`\.(m3u8|ts|m4s|mp4|aac|m4a|cmfv|cmfa|vtt)(\?|$)`}
}

// Config is what the origin tells both bundles, in one line before them.
type Config struct {
	Prefix   string          `json:"prefix"`         // of everything that is Tuber's own; tuber.DefaultPrefix if empty
	Build    string          `json:"build"`          // Build(); worker and page with different ones never meet
	Site     tuber.PublicKey `json:"site"`           // every statement of the origin is checked by it
	Patterns []string        `json:"patterns"`       // JavaScript expressions on path and query; DefaultPatterns if nil
	Relay    string          `json:"relay"`          // "on", "ask" or "off"; "on" if empty
	Enabled  bool            `json:"enabled"`        // false: the page unregisters the worker and stops
	STUN     []string        `json:"stun,omitempty"` // HOST:PORT; without a host: that of the page
}

// Page is the script that documents load: the configuration and the page peer.
func Page(c Config) []byte { return configured(c, page) }

// Worker is the service worker: the configuration and the worker's code.
func Worker(c Config) []byte { return configured(c, worker) }

// Build names these bundles: a short hash of both.
func Build() string { return build() }

var build = sync.OnceValue(func() string {
	h := sha256.New()
	h.Write(page)
	h.Write(worker)
	return hex.EncodeToString(h.Sum(nil)[:6])
})

func configured(c Config, bundle []byte) []byte {
	if c.Prefix == "" {
		c.Prefix = tuber.DefaultPrefix
	}
	if c.Build == "" {
		c.Build = Build()
	}
	if c.Patterns == nil {
		c.Patterns = DefaultPatterns()
	}
	if c.Relay == "" {
		c.Relay = "on"
	}
	line, err := json.Marshal(c) // json.Marshal escapes <, > and &
	if err != nil {
		panic("web: internal error: " + err.Error()) // Config holds strings, a key and a bool
	}
	out := make([]byte, 0, len(line)+len(bundle)+32)
	out = append(out, "self.__TUBER__="...)
	out = append(out, line...)
	out = append(out, ";\n"...)
	return append(out, bundle...)
}
