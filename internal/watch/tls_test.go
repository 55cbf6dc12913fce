package watch

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/host"
)

// selfMade writes a certificate that no CA signed.
func selfMade(t *testing.T) (cert, key string) {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	c := srv.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", c.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

func TestSelfMadeCertificate(t *testing.T) {
	t.Parallel()
	site := newLiveSite(t, sec)
	cert, key := selfMade(t)
	h := newHost(t, site.url, func(c *host.Config) { c.CertFile, c.KeyFile = cert, key })
	address := h.Addresses().Site
	if !strings.HasPrefix(address, "https://") {
		t.Fatalf("the host is at %s, want HTTPS", address)
	}
	if _, err := Run(t.Context(), Options{URL: address}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v, want a refusal of the certificate", err)
	}
	w := startWatch(t, Options{URL: address, Insecure: true, Upload: tuber.Unlimited})
	eventually(t, "links carry the stream", func() bool { return linkBytes(w.now()) >= someBytes })
	if r := w.stop(); r.Joined != 1 {
		t.Errorf("got %+v, want it joined", r)
	}
}
