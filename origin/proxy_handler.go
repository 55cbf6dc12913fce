package origin

import (
	"io"
	"net/http"
	"strconv"
	"sync"
)

// pipeWriter is the ResponseWriter of a handler that stands in for a server.
type pipeWriter struct {
	header  http.Header
	out     *io.PipeWriter
	once    sync.Once
	ready   chan struct{} // closed when the fields below are set
	status  int
	sent    http.Header
	aborted bool // the handler panicked before it wrote a header
}

// run ends when the handler does: at the latest when the body's reader closed
// the pipe or the request's context ended.
func (w *pipeWriter) run(h http.Handler, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			w.once.Do(func() { w.aborted = true; close(w.ready) })
			w.out.CloseWithError(io.ErrUnexpectedEOF) // as a server that drops the socket
			return
		}
		w.WriteHeader(http.StatusOK)
		w.out.Close()
	}()
	h.ServeHTTP(w, r)
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	if status < 200 {
		return // a handler's early hints stay with it
	}
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	if w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(p))
	}
	w.WriteHeader(http.StatusOK)
	return w.out.Write(p)
}

// Flush: a pipe has nothing to flush.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *pipeWriter) response(r *http.Request, body *io.PipeReader) *http.Response {
	res := &http.Response{
		StatusCode: w.status, Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: -1, Request: r,
	}
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		res.ContentLength = n
	}
	if r.Method == http.MethodHead || w.status == http.StatusNotModified || w.status == http.StatusNoContent {
		body.Close() // the handler's writes fail, as they should have nothing to say
		res.Body = http.NoBody
	}
	return res
}
