package release

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
)

func TestSignedSumsVerify(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, _ := ed25519.GenerateKey(nil)
	sums := []byte("0123  tuber_1.0.0_amd64.deb\n")
	sig := Sign(private, sums)
	if err := Verify(public, sums, sig); err != nil {
		t.Errorf("as signed: %v", err)
	}
	for name, c := range map[string]struct {
		key       ed25519.PublicKey
		sums, sig []byte
	}{
		"a changed digit":         {public, bytes.Replace(sums, []byte("0123"), []byte("0124"), 1), sig},
		"a line more":             {public, append(bytes.Clone(sums), "4567  evil.exe\n"...), sig},
		"the last newline gone":   {public, bytes.TrimSpace(sums), sig},
		"another's key":           {other, sums, sig},
		"no key":                  {nil, sums, sig},
		"no signature":            {public, sums, nil},
		"half a signature":        {public, sums, sig[:40]},
		"not base64":              {public, sums, []byte("?" + string(sig[1:]))},
		"a signature of nothing":  {public, sums, Sign(private, nil)},
		"two signatures in a row": {public, sums, append(bytes.Clone(sig), sig...)},
	} {
		if err := Verify(c.key, c.sums, c.sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}

func TestKeysAreReadAsWritten(t *testing.T) {
	public, _, _ := ed25519.GenerateKey(nil)
	got, err := ParseKey(FormatKey(public))
	if err != nil || !got.Equal(public) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "AAAA", FormatKey(public) + "A", strings.Repeat("x", 1000)} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%.20q passes for a key", bad)
		}
	}
	if Key() != nil {
		t.Error("a test program has a release key")
	}
}
