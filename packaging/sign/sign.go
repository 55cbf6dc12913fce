package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tubercdn/tuber/internal/release"
)

const (
	sumsName = "SHA256SUMS"
	sigName  = "SHA256SUMS.sig"
)

// writeSums lists all files of dir, by name, as sha256sum does.
func writeSums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name() == sumsName || e.Name() == sigName {
			continue
		}
		digest, err := digest(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", digest, e.Name())
	}
	if sums.Len() == 0 {
		return fmt.Errorf("%s holds no files", dir)
	}
	return os.WriteFile(filepath.Join(dir, sumsName), sums.Bytes(), 0o644)
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func signSums(key, dir string) error {
	k, err := readKey(key)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sigName), release.Sign(k, sums), 0o644)
}

func readKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file: openssl genpkey -algorithm ed25519 -out %[1]s makes one", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	k, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a key of another kind than Ed25519", path)
	}
	return k, nil
}

func printPublic(w io.Writer, key string) error {
	k, err := readKey(key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, release.FormatKey(k.Public().(ed25519.PublicKey)))
	return err
}

// verify reads the digests only after the signature over them held.
func verify(public, dir string) error {
	k, err := release.ParseKey(public)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		return err
	}
	sig, err := os.ReadFile(filepath.Join(dir, sigName))
	if err != nil {
		return err
	}
	if err := release.Verify(k, sums, sig); err != nil {
		return err
	}
	var bad []error
	for lines := bufio.NewScanner(bytes.NewReader(sums)); lines.Scan(); {
		want, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || filepath.Base(name) != name {
			return fmt.Errorf("%s: no line of digest and name: %.80q", sumsName, lines.Text())
		}
		if got, err := digest(filepath.Join(dir, name)); err != nil {
			bad = append(bad, err)
		} else if got != want {
			bad = append(bad, fmt.Errorf("%s is not the file that was signed", name))
		}
	}
	return errors.Join(bad...)
}
