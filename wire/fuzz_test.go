package wire

import (
	"bytes"
	"testing"

	"github.com/tubercdn/tuber"
)

// What comes out of an edit is what it names, and an edit made anew leads there too.
func FuzzEditApply(f *testing.F) {
	for _, row := range corpus(f, "edits.json", editRows) {
		f.Add([]byte(row.Old), row.From, row.To, []byte(row.Head), []byte(row.Tail))
	}
	f.Fuzz(func(t *testing.T, old []byte, from, to uint32, head, tail []byte) {
		got, err := tuber.Edit{From: from, To: to, Head: head, Tail: tail}.Apply(old)
		if err != nil {
			return
		}
		if want := bytes.Join([][]byte{head, old[from:to], tail}, nil); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		if again, err := tuber.MakeEdit(old, got).Apply(old); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("an edit from %q to %q makes %q, %v", old, got, again, err)
		}
	})
}

// A change that is taken makes a plan of what stayed and what came.
func FuzzChangeApply(f *testing.F) {
	for _, row := range corpus(f, "changes.json", changeRows) {
		f.Add([]byte(row.Old), []byte(row.Change))
	}
	f.Fuzz(func(t *testing.T, old, change []byte) {
		a, errOld := Decode(old)
		b, errChange := Decode(change)
		plan, isPlan := a.(Plan)
		c, isChange := b.(PlanChange)
		if errOld != nil || errChange != nil || !isPlan || !isChange {
			return
		}
		before := len(plan.Sources)
		got, err := c.Apply(&plan.PeerPlan)
		if err != nil {
			return
		}
		if want := before - len(c.Sources.Less) + len(c.Sources.More); len(got.Sources) != want || len(plan.Sources) != before {
			t.Fatalf("%s changed by %s has %d sources, want %d", old, change, len(got.Sources), want)
		}
	})
}

// Parts come together in order, and never to more than an update may have.
func FuzzJoiner(f *testing.F) {
	for _, row := range corpus(f, "frames.json", frameRows) {
		frame := unhex(f, row.Bytes)
		f.Add(frame, frame[:len(frame)/2], Part{Last: true, Bytes: frame}.Append(nil))
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		var j Joiner
		var held []byte
		for _, message := range [][]byte{a, b, c} {
			frame, err := ReadFrame(message)
			p, isPart := frame.(Part)
			if err != nil || !isPart {
				continue
			}
			held = append(held, p.Bytes...)
			whole, err := j.Add(p)
			if err != nil {
				t.Fatalf("%d bytes in parts: %v", len(held), err)
			}
			if (whole != nil) != (p.Last && len(held) > 0) || whole != nil && !bytes.Equal(whole, held) {
				t.Fatalf("got %x of %x, last %v", whole, held, p.Last)
			}
			if p.Last {
				held = nil
			}
		}
	})
}

// Whatever the site key signed as a certificate is either refused or written again
// as the same bytes.
func FuzzOpenCertificate(f *testing.F) {
	site := tuber.PublicKeyOf(testKey(1))
	for _, row := range corpus(f, "statements.json", statementRows) {
		if raw := unhex(f, row.Raw); row.Kind == "certificate" {
			f.Add(raw[64:], uint64(row.Now))
		}
	}
	f.Fuzz(func(t *testing.T, statement []byte, now uint64) {
		sig := tuber.Sign(testKey(1), tuber.KindCertificate, statement)
		c, err := tuber.OpenCertificate(site, append(sig[:], statement...), tuber.Millis(now))
		if err != nil {
			return
		}
		if again := tuber.SignCertificate(testKey(1), c)[64:]; !bytes.HasPrefix(statement, again) || tuber.Millis(now) > c.Expires {
			t.Fatalf("%x opened at %d as %+v", statement, now, c)
		}
		if _, err := tuber.OpenCertificate(site, statement, 0); err == nil {
			t.Fatalf("%x passed without a signature of its own", statement)
		}
	})
}
