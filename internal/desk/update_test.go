package desk

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/release"
)

const sumsOf2 = "00aa  Tuber-2.0.0-setup.exe\n11bb  tuber-app_2.0.0_amd64.deb\n22cc  LICENSE\n"

// asked is a desk that looks for updates at a server of the test's, and how
// often it was asked.
func asked(t *testing.T, version string, key ed25519.PublicKey, files map[string]http.HandlerFunc) (*Desk, *int) {
	t.Helper()
	n := new(int)
	mux := http.NewServeMux()
	for name, serve := range files {
		mux.HandleFunc("/r/latest/download/"+name, func(w http.ResponseWriter, r *http.Request) { *n++; serve(w, r) })
	}
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(srv.Close)
	d := open(t, t.TempDir())
	d.o.Version, d.o.Key = version, key
	d.client, d.from = newClient(srv.Client().Transport), srv.URL+"/r/"
	if err := d.SetSettings(tuber.AppSettings{CheckUpdates: true}); err != nil {
		t.Fatal(err)
	}
	return d, n
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func TestCheckUpdate(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := ed25519.GenerateKey(nil)
	signed := func(k ed25519.PrivateKey, sums string) map[string]http.HandlerFunc {
		return map[string]http.HandlerFunc{"SHA256SUMS": say(sums), "SHA256SUMS.sig": say(string(release.Sign(k, []byte(sums))))}
	}
	with := func(files map[string]http.HandlerFunc, name string, h http.HandlerFunc) map[string]http.HandlerFunc {
		files[name] = h
		return files
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		for line := strings.Repeat("x", 4096); ; {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
	}
	for _, tc := range []struct {
		name, version string
		key           ed25519.PublicKey
		files         map[string]http.HandlerFunc
		want, err     string
	}{
		{"a newer one", "1.9.9", public, signed(private, sumsOf2), "2.0.0", ""},
		{"by the patch", "1.10.9", public, signed(private, strings.ReplaceAll(sumsOf2, "2.0.0", "1.10.10")), "1.10.10", ""},
		{"the same", "2.0.0", public, signed(private, sumsOf2), "", ""},
		{"an older one", "2.0.1", public, signed(private, sumsOf2), "", ""},
		{"the release of this candidate", "2.0.0-rc1", public, signed(private, sumsOf2), "2.0.0", ""},
		{"a candidate", "1.0.0", public, signed(private, "00  tuber_2.0.0~rc1_amd64.deb\n"), "", ""},
		{"signed by another", "1.0.0", public, signed(other, sumsOf2), "", "signature"},
		{"changed after signing", "1.0.0", public, with(signed(private, sumsOf2), "SHA256SUMS", say(strings.ReplaceAll(sumsOf2, "2.0.0", "9.0.0"))), "", "signature"},
		{"without a signature", "1.0.0", public, map[string]http.HandlerFunc{"SHA256SUMS": say(sumsOf2)}, "", "404"},
		{"two versions", "1.0.0", public, signed(private, sumsOf2+"33  tuber_3.0.0.exe\n"), "", "names versions"},
		{"no version", "1.0.0", public, signed(private, "00  tuber.exe\n"), "", "no version"},
		{"an endless list", "1.0.0", public, with(signed(private, sumsOf2), "SHA256SUMS", endless), "", "over 65536 bytes"},
		{"an endless signature", "1.0.0", public, with(signed(private, sumsOf2), "SHA256SUMS.sig", endless), "", "over 1024 bytes"},
		{"led to http", "1.0.0", public, with(signed(private, sumsOf2), "SHA256SUMS", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+r.Host+"/", http.StatusFound)
		}), "", "leads elsewhere"},
		{"led in a circle", "1.0.0", public, with(signed(private, sumsOf2), "SHA256SUMS", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}), "", "leads elsewhere"},
		{"built without a key", "1.0.0", nil, signed(private, sumsOf2), "", "no release itself"},
		{"built without a version", "unreleased (abc)", public, signed(private, sumsOf2), "", "no release itself"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, n := asked(t, tc.version, tc.key, tc.files)
			got, err := d.CheckUpdate(t.Context())
			if (err != nil) != (tc.err != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("got %v, want %q", err, tc.err)
			}
			if got.Version != tc.want {
				t.Errorf("got %q, want %q", got.Version, tc.want)
			}
			if want := "https://github.com/tubercdn/tuber/releases/tag/v" + tc.want; tc.want != "" && got.Page != want || tc.want == "" && got.Page != "" {
				t.Errorf("got page %q", got.Page)
			}
			if *n == 0 && tc.err != "no release itself" {
				t.Error("nobody was asked")
			}
		})
	}
	d, n := asked(t, "1.0.0", public, signed(private, sumsOf2))
	if err := d.SetSettings(tuber.AppSettings{}); err != nil {
		t.Fatal(err)
	}
	if got, err := d.CheckUpdate(t.Context()); err == nil || got != (tuber.Release{}) || *n != 0 {
		t.Errorf("switched off: got %+v, %v, asked %d times", got, err, *n)
	}
}

// A server whose certificate nobody vouches for is not believed.
func TestCheckUpdateNeedsACertificate(t *testing.T) {
	public, _, _ := ed25519.GenerateKey(nil)
	d, n := asked(t, "1.0.0", public, map[string]http.HandlerFunc{"SHA256SUMS": say(sumsOf2)})
	d.client = newClient(nil)
	if _, err := d.CheckUpdate(t.Context()); err == nil || *n != 0 {
		t.Errorf("got %v, asked %d times", err, *n)
	}
}
