package tuber

import "bytes"

// anchors is how many lines at the end of a playlist may have gone or changed in
// the next one: an end tag, a preload hint, reports on other renditions.
const anchors = 16

// sharedLines finds the longest stretch from:to of whole lines of old that stands
// again at next[at:] and ends within old's last few lines. In a playlist that
// only slides that is everything but its head, in a low-latency one everything
// but what speaks of the next part. from == to means nothing is shared.
func sharedLines(old, next []byte) (from, to, at int) {
	end := len(old)
	for range anchors {
		if end == 0 {
			break
		}
		if f, a := stretchTo(old[:end], next); end-f > to-from {
			from, to, at = f, end, a
		}
		end = lineStart(old, end)
	}
	return from, to, at
}

// stretchTo finds the longest end of old that stands in next, at its last line's
// last place there; from == len(old) if that line is not there.
func stretchTo(old, next []byte) (from, at int) {
	anchor := lineStart(old, len(old))
	i := bytes.LastIndex(next, old[anchor:])
	if i < 0 || (i > 0 && next[i-1] != '\n') {
		return len(old), 0
	}
	from, at = anchor, i
	for from > 0 && at > 0 {
		f, a := lineStart(old, from), lineStart(next, at)
		if !bytes.Equal(old[f:from], next[a:at]) {
			break
		}
		from, at = f, a
	}
	return from, at
}

// lineStart is where the line that ends at end begins.
func lineStart(b []byte, end int) int {
	if end == 0 {
		return 0
	}
	return bytes.LastIndexByte(b[:end-1], '\n') + 1
}
