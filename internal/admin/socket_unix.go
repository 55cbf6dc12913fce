//go:build !windows

package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

const (
	file    = "admin.sock"
	maxPath = 103 // bytes that every system takes (macOS: 104 with its end)
)

// Listen opens the socket. The caller holds the directory, so a socket that
// lies there already was left by a program that died.
func Listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, file)
	if len(path) > maxPath {
		return nil, fmt.Errorf("open admin socket: %s has %d characters, at most %d; choose a shorter one with --state", path, len(path), maxPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open admin socket: %w", err), ln.Close())
	}
	return ln, nil
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", filepath.Join(dir, file))
}
