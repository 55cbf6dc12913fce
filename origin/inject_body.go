package origin

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// rewriter is a body that is changed as it is read.
type rewriter interface {
	io.Reader
	// ahead reads until the change is decided, and returns how many bytes it adds.
	ahead() int
}

// siteOnly are headers that are true of the site's bytes only.
var siteOnly = []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges"}

// replace puts a rewriter between the site and the viewer. A body without
// encoding and with a length keeps an exact one; gzip is opened and packed
// again; other encodings pass untouched.
func replace(res *http.Response, wrap func(io.Reader) rewriter) {
	encoding := strings.ToLower(strings.TrimSpace(strings.Join(res.Header.Values("Content-Encoding"), ",")))
	packed := encoding == "gzip" || encoding == "x-gzip"
	if !packed && encoding != "" && encoding != "identity" {
		return
	}
	for _, name := range siteOnly {
		res.Header.Del(name)
	}
	if res.Request.Method == http.MethodHead || res.ContentLength == 0 {
		if res.ContentLength != 0 {
			unsized(res)
		}
		return
	}
	site := res.Body
	if packed {
		unsized(res)
		res.Body = &closer{Reader: &packer{src: wrap(&unpacker{src: site})}, Closer: site}
		return
	}
	body := wrap(site)
	if res.ContentLength > 0 {
		res.ContentLength += int64(body.ahead())
		res.Header.Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	res.Body = &closer{Reader: body, Closer: site}
}

func unsized(res *http.Response) {
	res.ContentLength = -1
	res.Header.Del("Content-Length")
}

type closer struct {
	io.Reader
	io.Closer
}

// unpacker opens gzip at the first Read, so that headers go out before a body comes.
type unpacker struct {
	src io.Reader
	gz  *gzip.Reader
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.gz == nil {
		gz, err := gzip.NewReader(u.src)
		if err != nil {
			return 0, err // io.EOF for an empty body, which stays empty
		}
		u.gz = gz
	}
	return u.gz.Read(p)
}

// packer packs what src gives, and lets no byte wait for the next one.
type packer struct {
	src io.Reader
	buf bytes.Buffer
	gz  *gzip.Writer
	in  []byte
	err error
}

func (k *packer) Read(p []byte) (int, error) {
	for k.buf.Len() == 0 && k.err == nil {
		k.fill()
	}
	if k.buf.Len() > 0 {
		return k.buf.Read(p)
	}
	return 0, k.err
}

func (k *packer) fill() {
	if k.in == nil {
		k.in = make([]byte, 32<<10)
	}
	n, err := k.src.Read(k.in)
	if n > 0 {
		if k.gz == nil {
			k.gz = gzip.NewWriter(&k.buf)
		}
		_, werr := k.gz.Write(k.in[:n])
		k.err = errors.Join(werr, k.gz.Flush()) // a bytes.Buffer takes all
	}
	switch {
	case err == io.EOF:
		if k.gz != nil {
			k.err = k.gz.Close()
		}
		if k.err == nil {
			k.err = io.EOF
		}
	case err != nil:
		k.err = err
	}
}
