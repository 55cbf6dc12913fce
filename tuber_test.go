package tuber

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func TestTickets(t *testing.T) {
	planner, f := key(1), Fingerprint{1}
	text := SignTicket(planner, Ticket{Fingerprint: f, Expires: 1000})
	for _, c := range []struct {
		name string
		text string
		key  PublicKey
		f    Fingerprint
		now  Millis
		ok   bool
	}{
		{"good", text, PublicKeyOf(planner), f, 1000, true},
		{"too late", text, PublicKeyOf(planner), f, 1001, false},
		{"another's", text, PublicKeyOf(planner), Fingerprint{2}, 1, false},
		{"another planner", text, PublicKeyOf(key(2)), f, 1, false},
		{"cut short", text[:len(text)-2], PublicKeyOf(planner), f, 1, false},
		{"empty", "", PublicKeyOf(planner), f, 1, false},
		{"enormous", string(bytes.Repeat([]byte("A"), 10_000)), PublicKeyOf(planner), f, 1, false},
	} {
		if err := OpenTicket(c.key, c.text, c.f, c.now); (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// What no planner signed is refused, whatever it looks like; what one signed is a
// ticket for the fingerprint and the time that it begins with, and for no other.
func FuzzOpenTicket(f *testing.F) {
	planner, print := key(1), Fingerprint{1}
	text := SignTicket(planner, Ticket{Fingerprint: print, Expires: 1000})
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[64:], text[:len(text)-2], uint64(999))
	f.Add(raw[64:90], "", uint64(1))
	f.Add(append(raw[64:], 1, 2), "=", uint64(1001))
	f.Fuzz(func(t *testing.T, statement []byte, text string, now uint64) {
		if err := OpenTicket(PublicKeyOf(key(2)), text, print, 0); err == nil {
			t.Fatalf("%q passed for a ticket", text)
		}
		signed := base64.RawURLEncoding.EncodeToString(seal(planner, KindTicket, statement))
		if err := OpenTicket(PublicKeyOf(planner), signed, print, Millis(now)); err != nil {
			return
		}
		want := binary.BigEndian.AppendUint64(print[:], now)
		if len(statement) < len(want) || !bytes.HasPrefix(statement, print[:]) || bytes.Compare(statement[:len(want)], want) < 0 {
			t.Fatalf("%x is a ticket for %x at %d", statement, print, now)
		}
	})
}

func TestCertificates(t *testing.T) {
	site, want := key(1), Certificate{Planner: PublicKeyOf(key(2)), Epoch: 7, Expires: 500}
	raw := SignCertificate(site, want)
	if got, err := OpenCertificate(PublicKeyOf(site), raw, 500); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := OpenCertificate(PublicKeyOf(site), raw, 501); !errors.Is(err, ErrExpired) {
		t.Errorf("after its time: %v", err)
	}
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if _, err := OpenCertificate(PublicKeyOf(site), bad, 1); !errors.Is(err, ErrSignature) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
	}
	if _, err := OpenCertificate(PublicKeyOf(site), nil, 1); err == nil {
		t.Error("an empty certificate was taken")
	}
}

func TestKindsDoNotMix(t *testing.T) {
	k := key(1)
	sig := Sign(k, KindTicket, []byte("x"))
	if err := PublicKeyOf(k).Check(KindCertificate, []byte("x"), sig); !errors.Is(err, ErrSignature) {
		t.Errorf("a ticket's signature passed for a certificate's: %v", err)
	}
}

func TestVerifyIsTheOnlyGate(t *testing.T) {
	data := []byte("the bytes of a chunk")
	m := Manifest{URL: "/a.ts", Length: uint32(len(data)), Digests: []Digest{sha256.Sum256(data)}, First: 9}
	sm, err := SignManifest(key(1), m)
	if err != nil {
		t.Fatal(err)
	}
	v, err := sm.Verify(9, data)
	if err != nil || v.Number() != 9 || !bytes.Equal(v.Data(), data) {
		t.Errorf("got %v, %v", v, err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x80
		if _, err := sm.Verify(9, bad); !errors.Is(err, ErrChunk) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
	}
}

func TestIdsAsText(t *testing.T) {
	site := PublicKeyOf(key(1))
	c := Content{ID: NewContentID(site, "/live/a.m3u8", 3), URL: "/live/a.m3u8", K: 4}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got Content
	if err := json.Unmarshal(b, &got); err != nil || got != c {
		t.Errorf("%s: got %+v, %v", b, got, err)
	}
	if NewContentID(site, "/live/a.m3u8", 4) == c.ID || NewContentID(site, "/live/b.m3u8", 3) == c.ID {
		t.Error("two contents share an id")
	}
	for _, bad := range []string{"", "00", "zz" + c.ID.String()[2:], c.ID.String() + "00"} {
		if err := new(ContentID).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was taken for an id", bad)
		}
	}
}

func TestPartitions(t *testing.T) {
	if got := AllPartitions(8); got != 255 || got.Len() != 8 {
		t.Errorf("all 8: %b, %d", got, got.Len())
	}
	if n := ChunkNumber(13); n.Partition(4) != 1 || !AllPartitions(4).Has(3) || AllPartitions(4).Has(4) {
		t.Error("chunk 13 of 4 partitions is in partition 1")
	}
}

func TestMillisOf(t *testing.T) {
	if got := MillisOf(time.Unix(2, 5e6)); got != 2005 {
		t.Errorf("got %d, want 2005", got)
	}
}

func TestRatesInWords(t *testing.T) {
	for r, want := range map[BitsPerSecond]string{0: "0 kbit/s", 300e3: "300 kbit/s", 1.5e6: "1.5 Mbit/s", Unlimited: "unlimited"} {
		if got := r.String(); got != want {
			t.Errorf("%d: got %q, want %q", int64(r), got, want)
		}
	}
}
