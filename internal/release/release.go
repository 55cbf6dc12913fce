// Package release is what a released program knows of itself, and how the files
// of a release are vouched for: SHA256SUMS names them with their digests, and
// SHA256SUMS.sig is the base64 of the 64 bytes of an Ed25519 signature over
// exactly the bytes of SHA256SUMS.
//
// The linker sets version and key (make release, make package-linux, ...):
//
//	-ldflags "-X github.com/tubercdn/tuber/internal/release.version=1.2.3
//	          -X github.com/tubercdn/tuber/internal/release.key=BASE64"
package release

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// Set by the linker; empty in a program that was built by go build alone.
var version, key string

// Version is this program's, such as 1.2.3, or "unreleased" with the revision
// where that is known.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unreleased"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "unreleased (" + s.Value[:min(len(s.Value), 12)] + ")"
		}
	}
	return "unreleased"
}

// Key is the public key by which newer releases are known, or nil: a program
// without one believes no release.
func Key() ed25519.PublicKey {
	k, err := ParseKey(key)
	if err != nil {
		return nil
	}
	return k
}

// ParseKey reads a public key as FormatKey writes it.
func ParseKey(text string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%.60q is no Ed25519 public key: 32 bytes in base64 are", text)
	}
	return b, nil
}

// FormatKey writes a public key for the linker and for people.
func FormatKey(k ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(k) }

// ErrSignature is returned by Verify when the bytes are not what the key signed.
var ErrSignature = errors.New("the release's signature does not fit")

// Sign makes the content of SHA256SUMS.sig.
func Sign(k ed25519.PrivateKey, sums []byte) []byte {
	return []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(k, sums)) + "\n")
}

// Verify checks SHA256SUMS against the content of SHA256SUMS.sig. Nothing in
// sums is to be believed before.
func Verify(k ed25519.PublicKey, sums, sig []byte) error {
	if len(k) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: this program was built without a release key", ErrSignature)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(sig)))
	if err != nil || len(raw) != ed25519.SignatureSize || !ed25519.Verify(k, sums, raw) {
		return ErrSignature
	}
	return nil
}
