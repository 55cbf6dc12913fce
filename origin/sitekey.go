package origin

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// keyHeader is the first line of a site key's file; the second is the seed in
// base64url.
const keyHeader = "tuber site key 1"

// maxKeyFile bounds what is read of a key's file, in bytes.
const maxKeyFile = 4 << 10

// LoadOrCreateKey reads the site key at path, or makes one if there is no file.
// The key is the site's name for boosters: it is never replaced silently, and a
// file that others could have read is refused.
func LoadOrCreateKey(path string) (ed25519.PrivateKey, error) {
	key, err := loadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createKey(path)
	}
	return key, err
}

func loadKey(path string) (ed25519.PrivateKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read site key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read site key: %w", err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, fmt.Errorf("site key %s is not a file", path)
	case runtime.GOOS != "windows" && mode.Perm()&0o077 != 0: // Windows guards it by the folder's list
		return nil, fmt.Errorf("site key %s can be read by others (mode %04o): make it private with chmod 600, or if someone may have copied it, move it away to get a new one", path, mode.Perm())
	case info.Size() > maxKeyFile:
		return nil, damaged(path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read site key: %w", err)
	}
	return parseKey(path, string(text))
}

func parseKey(path, text string) (ed25519.PrivateKey, error) {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(lines) != 2 || strings.TrimRight(lines[0], "\r") != keyHeader {
		return nil, damaged(path)
	}
	seed, err := base64.RawURLEncoding.Strict().DecodeString(lines[1])
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, damaged(path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func damaged(path string) error {
	return fmt.Errorf("site key %s is damaged: put back a copy of it, or move it away to get a new one (boosters then need new invites)", path)
}

// createKey writes a new key so that after a crash there is all of it or none.
// Where two processes do so at once, one key wins and both use it.
func createKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make site key: %w", err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create site key: %w", err)
	}
	temp, err := os.CreateTemp(dir, ".site-key-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("create site key: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(keyHeader + "\n" + base64.RawURLEncoding.EncodeToString(key.Seed()) + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, fmt.Errorf("write site key: %w", err)
	}
	if err := settle(temp.Name(), path); err != nil {
		return nil, fmt.Errorf("create site key: %w", err)
	}
	return loadKey(path)
}

// settle gives the file its name unless another one has it by now, and makes
// the name last. A file system without hard links gets a rename.
func settle(temp, path string) error {
	if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(temp, path); err != nil {
			return err
		}
	}
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
