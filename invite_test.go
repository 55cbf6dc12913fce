package tuber

import (
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

func TestInviteRoundTrip(t *testing.T) {
	want := sampleInvite()
	for _, text := range []string{want.URL(), want.AppURL(), "  " + want.URL() + "\n"} {
		got, err := ParseInvite(text)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

// Every single changed or missing character is told from a used invite.
func TestDamagedInvites(t *testing.T) {
	whole := sampleInvite().URL()
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
