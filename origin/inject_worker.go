package origin

import (
	"bytes"
	"io"
	"regexp"
)

// preface puts a call before a script, on its first line, so that the lines
// keep their numbers. A script that begins with "use strict" stays strict, and a
// module, which has no importScripts, imports ours instead.
type preface struct {
	src  io.Reader
	call string

	head []byte // read and changed, not passed on yet
	done bool
	add  int
	err  error // of the read that ended the head
}

var (
	// strictFirst finds the directive behind comments only (ECMA-262 section 11.2.1).
	strictFirst = regexp.MustCompile(`^(?:\s|//[^\n]*\n|/\*(?s:.*?)\*/)*(?:'use strict'|"use strict")\s*[;\n}]?`)
	// moduleLine finds a static import or an export where a line begins.
	moduleLine = regexp.MustCompile(`(?m)^\s*(?:import\s*(?:["'{*]|[\w$]+\s*(?:,|\s+from\b))|export\s*(?:\{|\*|default\b|const\b|let\b|var\b|function\b|class\b|async\b))`)
	callName   = regexp.MustCompile(`^importScripts\((.*)\);$`)
)

func (f *preface) ahead() int {
	if f.done {
		return f.add
	}
	f.done = true
	head, err := io.ReadAll(io.LimitReader(f.src, lookAhead))
	f.err = err
	at := 0
	if bytes.HasPrefix(head, utf8Mark) {
		at = len(utf8Mark)
	}
	first := f.call
	switch {
	case hasMark16(head):
		first = "" // never decoded as UTF-16: the site's own mistake, and left to it
	case moduleLine.Match(head[at:]):
		first = callName.ReplaceAllString(f.call, "import $1;")
	case strictFirst.Match(head[at:]):
		first = `"use strict";` + f.call
	}
	f.add = len(first)
	f.head = append(append(append([]byte(nil), head[:at]...), first...), head[at:]...)
	return f.add
}

func (f *preface) Read(p []byte) (int, error) {
	f.ahead()
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head = f.head[n:]
		return n, nil
	}
	if f.err != nil {
		return 0, f.err
	}
	return f.src.Read(p)
}
