package host

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
)

// tlsKeyFile holds the key that invites pin. The certificate around it is made
// anew at each start: a pin is on the key, so only the key has to last.
const tlsKeyFile = "tls.key"

// selfMade is the certificate of the control listener and its pin. It is for
// programs that hold an invite; browsers will warn of it.
func selfMade(dir, name string, now time.Time) (tls.Certificate, tuber.Digest, error) {
	key, err := loadOrCreateTLSKey(filepath.Join(dir, tlsKeyFile))
	if err != nil {
		return tls.Certificate{}, tuber.Digest{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, tuber.Digest{}, fmt.Errorf("make TLS certificate: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Tuber"},
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if ip := net.ParseIP(name); ip != nil {
		t.IPAddresses = append(t.IPAddresses, ip)
	} else if name != "" {
		t.DNSNames = append(t.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, tuber.Digest{}, fmt.Errorf("make TLS certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, tuber.Digest{}, fmt.Errorf("make TLS certificate: %w", err)
	}
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return cert, sha256.Sum256(leaf.RawSubjectPublicKeyInfo), nil
}

func loadOrCreateTLSKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createTLSKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read TLS key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("read TLS key: %s is not PEM; invites pin this key, so restore it from a copy or delete it and invite again", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read TLS key %s: %w", path, err)
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read TLS key %s: a %T, want an ECDSA key", path, key)
	}
	return ec, nil
}

func createTLSKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make TLS key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make TLS key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := writeWhole(path, text); err != nil {
		return nil, fmt.Errorf("write TLS key: %w", err)
	}
	return key, nil
}

// writeWhole writes a private file so that after a crash it is there whole or not at all.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // no effect once renamed
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// vouched tells whether a CA that this machine trusts vouches for name in cert:
// only then can an invite do without a pin.
func vouched(cert tls.Certificate, name string, now time.Time) bool {
	if len(cert.Certificate) == 0 {
		return false
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return false
	}
	between := x509.NewCertPool()
	for _, der := range cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(c)
		}
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Intermediates: between, CurrentTime: now})
	return err == nil
}

// certificateFile is a certificate that someone else renews: it is read again
// when the file changes, asked at most once a minute.
type certificateFile struct {
	cert, key string

	mu      sync.Mutex // guards the fields below
	current *tls.Certificate
	changed time.Time // of the file
	asked   time.Time
}

func loadCertificate(cert, key string) (*certificateFile, error) {
	f := &certificateFile{cert: cert, key: key}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w; change --cert or --key", err)
	}
	f.current, f.asked = &pair, time.Now()
	if info, err := os.Stat(cert); err == nil {
		f.changed = info.ModTime()
	}
	return f, nil
}

func (f *certificateFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.asked) < time.Minute {
		return f.current, nil
	}
	f.asked = time.Now()
	info, err := os.Stat(f.cert)
	if err != nil || info.ModTime().Equal(f.changed) {
		return f.current, nil
	}
	// A half-written pair does not match; the old one serves until the next look.
	if pair, err := tls.LoadX509KeyPair(f.cert, f.key); err == nil {
		f.current, f.changed = &pair, info.ModTime()
	}
	return f.current, nil
}
