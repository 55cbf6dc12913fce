package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func keyFile(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return put(t, filepath.Join(t.TempDir(), "key.pem"), string(text))
}

// signed is a folder of two files with sums and signature, and the public key.
func signed(t *testing.T) (dir, public string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := keyFile(t, private)
	dir = t.TempDir()
	put(t, filepath.Join(dir, "tuber_1.0.0_amd64.deb"), "a package")
	put(t, filepath.Join(dir, "Tuber-1.0.0-setup.exe"), "an installer")
	for _, args := range [][]string{{"sums", dir}, {"sign", key, dir}} {
		if err := run(args); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := printPublic(&out, key); err != nil {
		t.Fatal(err)
	}
	return dir, strings.TrimSpace(out.String())
}

func TestASignedReleaseVerifies(t *testing.T) {
	dir, public := signed(t)
	if err := run([]string{"verify", public, dir}); err != nil {
		t.Error(err)
	}
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v\n%s", err, out)
	}
}

func TestATamperedReleaseIsRefused(t *testing.T) {
	change := func(name, old, with string) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, bytes.Replace(text, []byte(old), []byte(with), 1), 0o600)
		}
	}
	for name, c := range map[string]struct {
		tamper func(dir string) error
		want   string
	}{
		"a file":                   {change("Tuber-1.0.0-setup.exe", "an", "en"), "Tuber-1.0.0-setup.exe is not the file"},
		"a file is gone":           {func(d string) error { return os.Remove(filepath.Join(d, "tuber_1.0.0_amd64.deb")) }, "no such file"},
		"a file and its digest":    {func(d string) error { return refresh(d) }, "signature does not fit"},
		"the signature":            {flip, "signature does not fit"},
		"a name that leads out":    {change(sumsName, "tuber_", "../tuber_"), "signature does not fit"},
		"sums emptied to the byte": {func(d string) error { return os.WriteFile(filepath.Join(d, sumsName), nil, 0o600) }, "signature does not fit"},
	} {
		dir, public := signed(t)
		if err := c.tamper(dir); err != nil {
			t.Fatal(err)
		}
		if err := run([]string{"verify", public, dir}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

// flip changes one bit of the signature.
func flip(dir string) error {
	path := filepath.Join(dir, sigName)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	sig[17] ^= 1
	return os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(sig)), 0o600)
}

// refresh changes a file and writes honest sums over it, without a key.
func refresh(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "Tuber-1.0.0-setup.exe"), []byte("evil"), 0o600); err != nil {
		return err
	}
	return writeSums(dir)
}

func TestWrongCallsSayWhatIsMissing(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir, public := signed(t)
	for want, args := range map[string][]string{
		"write sums DIR":            nil,
		"holds no files":            {"sums", t.TempDir()},
		"no such file":              {"sign", filepath.Join(dir, "none.pem"), dir},
		"is no PEM file":            {"sign", put(t, filepath.Join(t.TempDir(), "k"), "key"), dir},
		"another kind than Ed25519": {"sign", keyFile(t, other), dir},
		"no Ed25519 public key":     {"verify", public[1:], dir},
	} {
		if err := run(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("sign %q: %v, want an error with %q", args, err, want)
		}
	}
}
