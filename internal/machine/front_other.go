//go:build !windows

package machine

// GiveFront lets another program raise its window in this one's place: only
// Windows asks for that.
func GiveFront() {}
