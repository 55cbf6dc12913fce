package tuber

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func sampleInvite() Invite {
	v := Invite{Host: "tv.example:8443", Prefix: DefaultPrefix}
	for i := range v.Site {
		v.Site[i], v.Secret[i], v.Pin[i] = byte(i), byte(i+50), byte(i+100)
	}
	return v
}

// namedInvite is one that tells whose stream it is for.
func namedInvite(name string) Invite {
	v := sampleInvite()
	v.Name = name
	return v
}

func TestInviteRoundTrip(t *testing.T) {
	for _, want := range []Invite{sampleInvite(), namedInvite("Ann’s show"), namedInvite(strings.Repeat("ä", MaxName/2))} {
		for _, text := range []string{want.URL(), want.AppURL(), "  " + want.URL() + "\n"} {
			got, err := ParseInvite(text)
			if err != nil || got != want {
				t.Errorf("%s: got %+v, %v", text, got, err)
			}
		}
	}
}

// A link that was made before invites had names.
func TestOlderInvite(t *testing.T) {
	const older = "https://tv.example:8443/.tuber/join#AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PUFFkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5_gIGCg3jT4gE"
	if got, err := ParseInvite(older); err != nil || got != sampleInvite() {
		t.Errorf("got %+v, %v", got, err)
	}
	if got := sampleInvite().URL(); got != older {
		t.Errorf("without a name it is %s", got)
	}
}

// What a stranger wrote into a link is cleaned before anybody sees it.
func TestHostileNamesInInvites(t *testing.T) {
	sealed := func(version byte, name string) string {
		v := sampleInvite()
		b := append(append(append([]byte{version}, v.Site[:]...), v.Secret[:]...), v.Pin[:]...)
		b = append(b, name...)
		return "https://" + v.Host + "/.tuber/join#" + base64.RawURLEncoding.EncodeToString(append(b, v.check(b)...))
	}
	for name, want := range map[string]string{
		"Ann\x1b[2J\u202e\n show\x00": "Ann[2J show", "\xff\xfe": "", " \t": "", strings.Repeat("x", MaxName): strings.Repeat("x", MaxName),
	} {
		if got, err := ParseInvite(sealed(2, name)); err != nil || got.Name != want {
			t.Errorf("%q: got %q, %v", name, got.Name, err)
		}
		if got, err := ParseInvite(namedInvite(name).URL()); err != nil || got.Name != want {
			t.Errorf("%q written: got %q, %v", name, got.Name, err)
		}
	}
	for _, text := range []string{sealed(2, strings.Repeat("x", MaxName+1)), sealed(1, "x"), sealed(3, ""), sealed(0, "")} {
		if got, err := ParseInvite(text); !errors.Is(err, ErrInvite) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

// Every single changed or missing character is told from a used invite.
func TestDamagedInvites(t *testing.T) {
	for _, v := range []Invite{sampleInvite(), namedInvite("Ann’s show")} {
		testDamage(t, v.URL())
	}
}

func testDamage(t *testing.T, whole string) {
	at := strings.Index(whole, "#")
	for i := at + 1; i < len(whole); i++ {
		if _, err := ParseInvite(whole[:i]); !errors.Is(err, ErrInvite) {
			t.Errorf("cut to %d characters: got %v", i, err)
		}
		for _, c := range "Aa0-" {
			changed := whole[:i] + string(c) + whole[i+1:]
			if changed == whole {
				continue
			}
			if v, err := ParseInvite(changed); !errors.Is(err, ErrInvite) {
				t.Errorf("character %d changed to %c: got %+v, %v", i, c, v, err)
			}
		}
	}
}

func TestTextThatIsNoInvite(t *testing.T) {
	moved := strings.Replace(sampleInvite().URL(), "tv.example", "tw.example", 1)
	for _, text := range []string{
		"", "hello", "https://tv.example/", "http://tv.example/.tuber/join#AAAA", "https://tv.example/.tuber/join",
		"https:///.tuber/join#AAAA", "javascript:alert(1)", strings.Repeat("x", 100_000), moved,
		"https://tv.example/.tuber/join#" + strings.Repeat("A", 900), "https://tv.example/.tuber/join#!!!",
	} {
		if _, err := ParseInvite(text); !errors.Is(err, ErrInvite) {
			t.Errorf("%.60q: got %v, want ErrInvite", text, err)
		}
	}
}

// An invite that is taken is the same when it is written and read again.
func FuzzParseInvite(f *testing.F) {
	v := sampleInvite()
	whole := v.URL()
	for _, text := range []string{whole, v.AppURL(), whole[:len(whole)-1], strings.Replace(whole, "#", "?x#", 1), strings.Replace(whole, "tv.", "tw.", 1), "https://[::1]:1/p/join#AA"} {
		f.Add(text, "tv.example", "/.tuber/")
	}
	f.Add("", "[::1]:8443", "/deep/er/")
	f.Fuzz(func(t *testing.T, text, host, prefix string) {
		made := v
		made.Host, made.Prefix = host, prefix
		for _, text := range []string{text, made.URL()} { // made: past the check, which nobody guesses
			got, err := ParseInvite(text)
			if err != nil {
				if !errors.Is(err, ErrInvite) {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			if again, err := ParseInvite(got.URL()); err != nil || again != got {
				t.Fatalf("%q is %+v, written and read again %+v, %v", text, got, again, err)
			}
		}
	})
}
