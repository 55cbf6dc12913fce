package origin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxBundles is how many forms of the two scripts are kept packed: the
// configuration in them changes with the host's switch and its planner.
const maxBundles = 8

// bundles keeps the scripts packed: each viewer of a home line loads them, and
// packed they are a third.
type bundles struct {
	mu     sync.Mutex // guards the field below
	packed map[[sha256.Size]byte][]byte
}

// serve sends a script. Browsers keep a copy but ask each time whether it is
// current, so that a new build or the kill switch is seen at the next load.
func (b *bundles) serve(w http.ResponseWriter, r *http.Request, script []byte) {
	if !allow(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	sum := sha256.Sum256(script)
	tag := hex.EncodeToString(sum[:8])
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) && r.Header.Get("Range") == "" {
		script, tag = b.gzip(sum, script), tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(script))) // ServeContent leaves it to us then
	}
	h.Set("Etag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
}

func (b *bundles) gzip(sum [sha256.Size]byte, script []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if out := b.packed[sum]; out != nil {
		return out
	}
	if b.packed == nil || len(b.packed) >= maxBundles {
		b.packed = make(map[[sha256.Size]byte][]byte)
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(script)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic("origin: internal error: " + err.Error()) // the level is one there is, and memory takes all
	}
	b.packed[sum] = out.Bytes()
	return out.Bytes()
}
