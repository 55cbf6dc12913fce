package app

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPlain is how many characters of remote text are shown, at most.
const maxPlain = 200

// plain makes text from elsewhere fit to be shown: one line, at most maxPlain
// characters, without control and format characters (which reverse or hide what
// stands beside them) and without bytes that are no text.
func plain(text string) string { return plainUpTo(text, maxPlain) }

func plainUpTo(text string, most int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case r == utf8.RuneError || !unicode.IsPrint(r):
			continue
		}
		if n+1 >= most {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
