package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

func bookPath(t testing.TB) string { return filepath.Join(t.TempDir(), "state", "book.db") }

func openBook(t testing.TB, path string, now func() time.Time) *Book {
	t.Helper()
	b, err := OpenBook(BookOptions{Path: path, Now: now})
	if err != nil {
		t.Fatalf("open book: %v", err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func invite(n byte, expires time.Time, uses int) tuber.InviteRecord {
	h := tuber.Secret{n}.Hash()
	return tuber.InviteRecord{ID: fmt.Sprintf("invite%d", n), Hash: h, Created: expires.Add(-time.Hour), Expires: expires, Uses: uses}
}

func booster(n int) tuber.BoosterRecord {
	var key tuber.PublicKey
	binary.BigEndian.PutUint64(key[:], uint64(n)+1)
	return tuber.BoosterRecord{ID: key.PeerID(), Key: key, Name: fmt.Sprintf("booster %d", n)}
}

func TestEnrol(t *testing.T) {
	now := newClock().Now()
	hash := tuber.Secret{1}.Hash()
	tests := []struct {
		name   string
		invite tuber.InviteRecord
		revoke bool
		burn   bool
		secret tuber.Digest
		want   error
	}{
		{"fresh", invite(1, now.Add(time.Hour), 1), false, false, hash, nil},
		{"two uses, one burnt", invite(1, now.Add(time.Hour), 2), false, true, hash, nil},
		{"used", invite(1, now.Add(time.Hour), 1), false, true, hash, tuber.ErrInviteUsed},
		{"expired", invite(1, now, 1), false, false, hash, tuber.ErrInviteExpired},
		{"revoked", invite(1, now.Add(time.Hour), 1), true, false, hash, tuber.ErrInviteRevoked},
		{"unknown", invite(1, now.Add(time.Hour), 1), false, false, tuber.Secret{2}.Hash(), tuber.ErrInviteUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := openBook(t, bookPath(t), nil)
			must(t, b.AddInvite(tt.invite))
			if tt.revoke {
				must(t, b.RevokeInvite(tt.invite.ID))
			}
			if tt.burn {
				must(t, b.Enrol(hash, booster(0), now))
			}
			if got := b.Enrol(tt.secret, booster(1), now); !errors.Is(got, tt.want) {
				t.Fatalf("enrol: got %v, want %v", got, tt.want)
			}
			if _, ok, err := b.Booster(booster(1).ID); err != nil || ok != (tt.want == nil) {
				t.Fatalf("booster: got %v, %v, want %v", ok, err, tt.want == nil)
			}
		})
	}
}

func TestEnrolAgainAfterALostAnswer(t *testing.T) {
	now := newClock().Now()
	b := openBook(t, bookPath(t), nil)
	in := invite(1, now.Add(time.Hour), 1)
	must(t, b.AddInvite(in))
	for range 2 {
		must(t, b.Enrol(in.Hash, booster(1), now))
	}
	must(t, b.RemoveBooster(booster(1).ID))
	if err := b.Enrol(in.Hash, booster(1), now); !errors.Is(err, tuber.ErrInviteUsed) {
		t.Fatalf("a removed booster with a burnt invite: got %v, want %v", err, tuber.ErrInviteUsed)
	}
}

// An invite whose validity is read in one transaction and burnt in another
// lets several in.
func TestEnrolRace(t *testing.T) {
	for _, uses := range []int{1, 3} {
		now := newClock().Now()
		b := openBook(t, bookPath(t), nil)
		in := invite(1, now.Add(time.Hour), uses)
		must(t, b.AddInvite(in))
		var won, used atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 200 {
			wg.Go(func() {
				<-start
				switch err := b.Enrol(in.Hash, booster(i), now); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, tuber.ErrInviteUsed):
					used.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		boosters, err := b.Boosters()
		must(t, err)
		if int(won.Load()) != uses || int(used.Load()) != 200-uses || len(boosters) != uses {
			t.Fatalf("%d uses: got %d enrolled, %d refused, %d boosters", uses, won.Load(), used.Load(), len(boosters))
		}
	}
}

func TestBookKeepsEverything(t *testing.T) {
	path := bookPath(t)
	b := openBook(t, path, nil)
	key, err := b.Key("site")
	must(t, err)
	for want := tuber.Epoch(1); want <= 3; want++ {
		if got, err := b.NextEpoch("planner"); err != nil || got != want {
			t.Fatalf("epoch: got %d, %v, want %d", got, err, want)
		}
	}
	must(t, b.PutSetting("upload", tuber.BitsPerSecond(5e6)))
	must(t, b.AddMembership(tuber.MembershipRecord{Site: testSite, Host: "example.org", Prefix: "/.tuber/"}))
	rec := booster(1)
	rec.Delivered, rec.Online = 7, time.Hour
	must(t, b.SaveBooster(rec))
	must(t, b.AddInvite(invite(3, time.Unix(2000, 0).UTC(), 1)))
	must(t, b.AddInvite(invite(2, time.Unix(1000, 0).UTC(), 1)))
	must(t, b.Close())

	b = openBook(t, path, nil)
	if again, err := b.Key("site"); err != nil || !again.Equal(key) {
		t.Fatalf("key: got another one, %v", err)
	}
	if other, err := b.Key("peer"); err != nil || other.Equal(key) {
		t.Fatalf("key of another name: got the same one, %v", err)
	}
	if got, err := b.NextEpoch("origin"); err != nil || got != 1 {
		t.Fatalf("epoch of another name: got %d, %v, want 1", got, err)
	}
	if got, err := b.NextEpoch("planner"); err != nil || got != 4 {
		t.Fatalf("epoch: got %d, %v, want 4", got, err)
	}
	var rate tuber.BitsPerSecond
	if ok, err := b.Setting("upload", &rate); err != nil || !ok || rate != 5e6 {
		t.Fatalf("setting: got %v, %v, %v", rate, ok, err)
	}
	if ok, err := b.Setting("absent", &rate); err != nil || ok {
		t.Fatalf("absent setting: got %v, %v", ok, err)
	}
	if got, ok, err := b.Booster(rec.ID); err != nil || !ok || got.Delivered != 7 || got.Online != time.Hour || got.Key != rec.Key {
		t.Fatalf("booster: got %+v, %v, %v", got, ok, err)
	}
	invites, err := b.Invites()
	if err != nil || len(invites) != 2 || invites[0].ID != "invite2" {
		t.Fatalf("invites: got %v, %v, want the oldest first", invites, err)
	}
	members, err := b.Memberships()
	if err != nil || len(members) != 1 || members[0].Host != "example.org" {
		t.Fatalf("memberships: got %v, %v", members, err)
	}
	must(t, b.RemoveMembership(testSite))
	if members, err = b.Memberships(); err != nil || len(members) != 0 {
		t.Fatalf("memberships after leaving: got %v, %v", members, err)
	}
	if err := b.RevokeInvite("nobody"); !errors.Is(err, tuber.ErrInviteUnknown) {
		t.Fatalf("revoke: got %v, want %v", err, tuber.ErrInviteUnknown)
	}
}

func TestReEnrolKeepsHistory(t *testing.T) {
	now := newClock().Now()
	b := openBook(t, bookPath(t), nil)
	for n := range byte(2) {
		must(t, b.AddInvite(invite(n, now.Add(time.Hour), 1)))
	}
	must(t, b.Enrol(tuber.Secret{0}.Hash(), booster(1), now))
	r, _, err := b.Booster(booster(1).ID)
	must(t, err)
	r.Delivered = 99
	must(t, b.SaveBooster(r))
	must(t, b.Enrol(tuber.Secret{1}.Hash(), booster(1), now.Add(time.Minute)))
	if r, _, err = b.Booster(r.ID); err != nil || r.Delivered != 99 || r.Invite != "invite1" || !r.Enrolled.Equal(now) {
		t.Fatalf("got %+v, %v, want its history and the new invite", r, err)
	}
}

func TestFileModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // rights are inherited from the owner's profile there
	}
	book := bookPath(t)
	b := openBook(t, book, nil)
	chunks := filepath.Join(filepath.Dir(book), "deep", "chunks-x.db")
	must(t, os.Mkdir(filepath.Dir(chunks), 0o700))
	openStore(t, Options{Path: chunks})
	for path, want := range map[string]os.FileMode{book: 0o600, b.CopyPath(): 0o600, chunks: 0o600, pidPath(book): 0o600,
		filepath.Dir(book): 0o700, filepath.Dir(chunks): 0o700} {
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got %o, want %o", path, got, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(book), "*.new*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDailyCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := bookPath(t)
		b := openBook(t, path, time.Now)
		backdate := func() { must(t, os.Chtimes(b.CopyPath(), time.Now(), time.Now())) }
		backdate() // the copy's time is the machine's, the rest of the test's is not
		must(t, b.PutSetting("later", 1))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		if copied := hasSetting(t, b.CopyPath(), "later"); copied {
			t.Fatal("the copy is newer than it should be")
		}
		<-time.After(25 * time.Hour) // of the bubble's clock
		synctest.Wait()
		cancel()
		must(t, <-done)
		if copied := hasSetting(t, b.CopyPath(), "later"); !copied {
			t.Fatal("no copy after a day")
		}
	})
}

func hasSetting(t *testing.T, path, name string) (ok bool) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	must(t, err)
	must(t, db.View(func(tx *bolt.Tx) error {
		ok = tx.Bucket(bucketSettings).Get([]byte(name)) != nil
		return nil
	}))
	must(t, db.Close())
	return ok
}

// A damaged book is never begun anew: the error says how to restore it, and
// following it does.
func TestDamagedBook(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			path := bookPath(t)
			b := openBook(t, path, nil)
			must(t, b.PutSetting("precious", strings.Repeat("x", 5000)))
			must(t, b.Backup())
			must(t, b.Close())
			damage(t, path)
			before, err := os.ReadFile(path)
			must(t, err)
			_, err = OpenBook(BookOptions{Path: path})
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path+".bak to "+path) {
				t.Fatalf("got %v, want damage and the way to restore", err)
			}
			if after, _ := os.ReadFile(path); len(before) > 0 && !bytes.Equal(before, after) {
				t.Fatal("the damaged book was touched")
			}
			saved, err := os.ReadFile(b.CopyPath())
			must(t, err)
			must(t, os.WriteFile(path, saved, 0o600))
			var got string
			if ok, err := openBook(t, path, nil).Setting("precious", &got); err != nil || !ok || len(got) != 5000 {
				t.Fatalf("restored: got %v, %v", ok, err)
			}
		})
	}
}

// Any flipped byte is either without effect or an error, never another value.
func TestBookFlippedBytes(t *testing.T) {
	path := bookPath(t)
	b := openBook(t, path, nil)
	must(t, b.PutSetting("name", "what was written"))
	must(t, b.Close())
	whole, err := os.ReadFile(path)
	must(t, err)
	for at := 0; at < len(whole); at += 1 + at%7*3 {
		if whole[at] == 0 && at%64 != 0 {
			continue // mostly unused bytes
		}
		bad := bytes.Clone(whole)
		bad[at] ^= 1 << (at % 8)
		must(t, os.WriteFile(path, bad, 0o600))
		b, err := OpenBook(BookOptions{Path: path})
		if err != nil {
			continue
		}
		var got string
		if ok, err := b.Setting("name", &got); err == nil && ok && got != "what was written" {
			t.Fatalf("byte %d: got %q", at, got)
		}
		must(t, b.Close())
	}
}

func TestMissingBookWithACopy(t *testing.T) {
	path := bookPath(t)
	b := openBook(t, path, nil)
	must(t, b.Close())
	must(t, os.Remove(path))
	if _, err := OpenBook(BookOptions{Path: path}); !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want %v", err, ErrDamaged)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("a new book was begun beside the copy of the old one")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
