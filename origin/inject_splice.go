package origin

import (
	"bytes"
	"io"
)

// lookAhead is how much of a page is read, in bytes, before it is left alone:
// comments may stand before its first element.
const lookAhead = 64 << 10

// splice copies an HTML document and puts a script element into its head: after
// <head> if there is one, else before the first thing that a parser would put
// into the head or the body (WHATWG HTML section 13.2.6.4.1 to .4). Nothing
// stands before that place but white space, comments, a doctype and <html>, so
// it is never inside a script, a textarea or a comment.
//
// It needs only that "<", ">" and quotes are these bytes and no parts of other
// characters, as in UTF-8, Latin, Cyrillic, Shift_JIS, GB 18030, Big5 and EUC.
type splice struct {
	src  io.Reader
	sure bool                     // the browser navigates: also a document without a doctype
	tag  func(head []byte) []byte // what to insert, given what has come of the page; nil for nothing

	begun  bool // the byte order mark was looked for
	full   bool // a doctype, <html>, <head> or <body> was seen
	looked int  // bytes read
	out    []byte
	buf    []byte // not understood yet; what was understood is in out
	done   bool
	added  int
	err    error
}

func (s *splice) Read(p []byte) (int, error) {
	for len(s.out) == 0 && !s.done {
		s.step()
	}
	if len(s.out) > 0 {
		n := copy(p, s.out)
		s.out = s.out[n:]
		return n, nil
	}
	if s.err != nil {
		return 0, s.err
	}
	return s.src.Read(p)
}

func (s *splice) ahead() int {
	for !s.done {
		s.step()
	}
	return s.added
}

// step reads once and goes as far as that lets it.
func (s *splice) step() {
	at := len(s.buf)
	s.buf = append(s.buf, make([]byte, 4<<10)...)
	n, err := s.src.Read(s.buf[at:])
	s.buf = s.buf[:at+n]
	s.looked += n
	s.err = err
	for !s.done && len(s.buf) > 0 {
		skip, what := s.token()
		s.out = append(s.out, s.buf[:skip]...)
		s.buf = s.buf[skip:]
		switch what {
		case tokenPlace:
			s.insert()
		case tokenForeign:
			s.finish()
		case tokenShort:
			if err != nil || s.looked >= lookAhead {
				s.finish()
			}
			return
		}
	}
	if err != nil {
		s.finish()
	}
}

func (s *splice) insert() {
	if s.sure || s.full {
		tag := s.tag(s.buf)
		s.added = len(tag)
		s.out = append(s.out, tag...)
	}
	s.finish()
}

// finish lets everything through from here on.
func (s *splice) finish() {
	s.out = append(s.out, s.buf...)
	s.buf, s.done = nil, true
}

type token uint8

const (
	tokenSkip    token = iota // understood: goes through, look on behind it
	tokenPlace                // the script belongs here
	tokenShort                // more bytes are needed to tell
	tokenForeign              // bytes that ASCII text does not have
)

var (
	commentOpen = []byte("<!--")
	doctypeOpen = []byte("<!doctype")
)

// token looks at the start of buf.
func (s *splice) token() (skip int, what token) {
	b := s.buf
	if !s.begun {
		if len(b) < 3 && bytes.HasPrefix(utf8Mark, b) || len(b) == 1 && b[0] >= 0xfe {
			return 0, tokenShort
		}
		s.begun = true
		if hasMark16(b) {
			return 0, tokenForeign
		}
		if bytes.HasPrefix(b, utf8Mark) {
			return 3, tokenSkip
		}
	}
	switch c := b[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		return 1, tokenSkip
	case c == 0 || c == 0x1b: // UTF-16 without a mark, a shift of ISO-2022
		return 0, tokenForeign
	case c != '<':
		return 0, tokenPlace
	case len(b) == 1:
		return 0, tokenShort
	case b[1] == 0 || b[1] == 0x1b:
		return 0, tokenForeign
	case b[1] == '!' || b[1] == '?':
		return s.declaration()
	case letter(b[1]):
		return s.element()
	}
	return 0, tokenPlace
}

// declaration is at a comment, a doctype or what parsers take for a comment.
func (s *splice) declaration() (int, token) {
	b := s.buf
	if len(b) < len(commentOpen) && bytes.HasPrefix(commentOpen, b) ||
		len(b) < len(doctypeOpen) && bytes.EqualFold(doctypeOpen[:len(b)], b) {
		return 0, tokenShort
	}
	end := -1
	if bytes.HasPrefix(b, commentOpen) {
		end = commentEnd(b)
	} else if i := bytes.IndexByte(b, '>'); i >= 0 {
		end = i + 1
	}
	if end < 0 {
		return 0, tokenShort
	}
	if bytes.IndexByte(b[:end], 0x1b) >= 0 {
		return 0, tokenForeign
	}
	if len(b) >= len(doctypeOpen) && bytes.EqualFold(doctypeOpen, b[:len(doctypeOpen)]) {
		s.full = true
	}
	return end, tokenSkip
}

// commentEnd is where the comment ends that b begins with, or -1. "<!-->" and
// "<!--->" are whole comments, and "--!>" ends one too (section 13.2.5.43 to .53).
func commentEnd(b []byte) int {
	end := -1
	if i := bytes.Index(b[2:], []byte("-->")); i >= 0 {
		end = 2 + i + 3
	}
	if i := bytes.Index(b[4:], []byte("--!>")); i >= 0 && (end < 0 || 4+i+4 < end) {
		end = 4 + i + 4
	}
	return end
}

// element is at a start tag.
func (s *splice) element() (int, token) {
	b := s.buf
	n := 1
	for n < len(b) && !delimiter(b[n]) {
		n++
	}
	if n == len(b) {
		return 0, tokenShort
	}
	switch string(bytes.ToLower(b[1:n])) {
	case "html":
		end := tagEnd(b[n:])
		if end < 0 {
			return 0, tokenShort
		}
		s.full = true
		return n + end, tokenSkip
	case "head":
		end := tagEnd(b[n:])
		if end < 0 {
			return 0, tokenShort
		}
		s.full = true
		return n + end, tokenPlace
	case "body":
		s.full = true
	}
	return 0, tokenPlace
}

// tagEnd is the length of the rest of a start tag whose name stood before b, or
// -1. A quote opens a value only behind "=" (section 13.2.5.32 to .39).
func tagEnd(b []byte) int {
	const (
		between = iota // names and what is between them
		value          // behind "=", before the value
		bare           // in a value without quotes
	)
	state, quote := between, byte(0)
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote, state = 0, between
			}
		case c == '>':
			return i + 1
		case state == between && c == '=' && i > 0 && !delimiter(b[i-1]):
			state = value
		case state == between && c == '=' && nameBefore(b[:i]):
			state = value
		case state == value && (c == '"' || c == '\''):
			quote = c
		case state == value && !space(c):
			state = bare
		case state == bare && space(c):
			state = between
		}
	}
	return -1
}

// nameBefore tells whether an attribute's name stands before white space at the
// end of b: "=" as the first letter of a name is a part of it.
func nameBefore(b []byte) bool {
	b = bytes.TrimRight(b, " \t\n\r\f")
	return len(b) > 0 && b[len(b)-1] != '/' && b[len(b)-1] != '"' && b[len(b)-1] != '\''
}

func letter(c byte) bool    { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func space(c byte) bool     { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func delimiter(c byte) bool { return space(c) || c == '/' || c == '>' }
