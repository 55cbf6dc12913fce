package tuber

import "bytes"

// sharedTail finds bytes from:to of old (whole lines, up to old's end or up to
// an end tag that vanished) that stand again at next[at:]. It anchors on the
// last line of old, which a playlist that only slides still holds, and walks
// back line by line while both agree. from == to means nothing is shared.
func sharedTail(old, next []byte) (from, to, at int) {
	to = len(old)
	anchor := lineStart(old, to)
	i := bytes.LastIndex(next, old[anchor:to])
	if i < 0 || (i > 0 && next[i-1] != '\n') {
		return 0, 0, 0
	}
	from, at = anchor, i
	for from > 0 && at > 0 {
		f, a := lineStart(old, from), lineStart(next, at)
		if !bytes.Equal(old[f:from], next[a:at]) {
			break
		}
		from, at = f, a
	}
	return from, to, at
}

// lineStart is where the line that ends at end begins.
func lineStart(b []byte, end int) int {
	if end == 0 {
		return 0
	}
	return bytes.LastIndexByte(b[:end-1], '\n') + 1
}
