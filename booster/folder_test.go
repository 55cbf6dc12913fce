package booster

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/machine"
)

func chunkFiles(t *testing.T, folder string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "chunks-*.db"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// The folder is moved, taken away and put back while the swarm goes on.
func TestFolderMovesAndVanishesWhileItBoosts(t *testing.T) {
	h, dir := beHost(t), stateDir(t)
	b, stop := begin(t, dir, func(s *tuber.Settings) { s.Limits.Upload = 20e6 })
	if err := b.Join(t.Context(), invited(t, h)); err != nil {
		t.Fatal(err)
	}
	received := watching(t, h)
	sends := func(when string) {
		t.Helper()
		sent := b.Status().Sent
		eventually(t, "it sends "+when, func() bool { return b.Status().Sent > sent+segmentBytes })
	}
	sends("at first")
	eventually(t, "somebody was helped", func() bool {
		st := b.Status()
		return *st.Helped == 1 && *st.Swarms[0].Helped == 1
	})

	folder := filepath.Join(stateDir(t), "chunks")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s := b.Settings()
	for _, bad := range []string{"chunks", filepath.Join(folder, "nowhere"), "/proc"} {
		s.Folder = bad
		if err := b.SetSettings(s); !errors.Is(err, tuber.ErrSettings) || !strings.Contains(err.Error(), bad) {
			t.Errorf("folder %s: got %v, want an error that names it", bad, err)
		}
	}
	if got := b.Settings().Folder; got != "" {
		t.Errorf("got folder %q, want it as it was", got)
	}
	s.Folder = folder
	if err := b.SetSettings(s); err != nil {
		t.Fatal(err)
	}
	if here, there := chunkFiles(t, dir), chunkFiles(t, folder); here != 0 || there != 1 {
		t.Errorf("got %d chunk files where they were and %d where they are to be, want 0 and 1", here, there)
	}
	sends("after the move")
	if sw := b.Status().Swarms[0]; !sw.Connected || sw.Error != "" || sw.Stored == 0 {
		t.Errorf("got %+v, want the session and the chunks", sw)
	}

	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is told", func() bool {
		st := b.Status()
		return strings.Contains(st.Error, folder) && strings.Contains(st.Swarms[0].Error, "choose another folder")
	})
	sends("from memory")
	if st := b.Status(); st.Reason != tuber.ReasonNone {
		t.Errorf("got %q, want that it sends", st.Reason)
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is well again", func() bool { st := b.Status(); return st.Error == "" && st.Swarms[0].Error == "" })
	if received().Received == 0 {
		t.Error("the viewer got nothing")
	}

	// A start with another folder takes the file along, too.
	stop()
	b, _ = begin(t, dir, func(s *tuber.Settings) { s.Folder = "" })
	eventually(t, "the booster is back", func() bool { return b.Status().Swarms[0].Connected })
	if here, there := chunkFiles(t, dir), chunkFiles(t, folder); here != 1 || there != 0 {
		t.Errorf("got %d chunk files where they are to be and %d where they were, want 1 and 0", here, there)
	}
	if err := b.Leave(h.Site()); err != nil {
		t.Fatal(err)
	}
	if left := chunkFiles(t, dir); left != 0 {
		t.Errorf("got %d chunk files left, want none", left)
	}
}

// What a stream that is over has left behind is deleted within ten minutes.
func TestOldContentIsDeleted(t *testing.T) {
	h := beHost(t)
	b, _ := begin(t, stateDir(t), nil)
	if err := b.Join(t.Context(), invited(t, h)); err != nil {
		t.Fatal(err)
	}
	content := h.Status().Contents[0].ID
	m := b.swarms[h.Site()]
	eventually(t, "chunks are on disk", func() bool {
		s := m.store()
		return s != nil && s.Full() == nil && slices.Contains(s.Contents(), content) && b.Status().Stored > 1<<20
	})
	if err := h.SetPlanner(false); err != nil { // nothing new comes
		t.Fatal(err)
	}
	m.ahead.Store(int64(10 * time.Minute))
	eventually(t, "nothing of it is left", func() bool { _, ok := m.store().Range(content); return !ok })
}

// A record that cannot be read is set aside; the defaults hold, and it is said.
func TestDamagedSettings(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, string){
		"nonsense": func(t *testing.T, dir string) {
			b := open(t, dir, nil)
			if err := b.book.PutSetting(settingsName, map[string]int{"resetDay": 99}); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"flipped bits": func(t *testing.T, dir string) {
			path := filepath.Join(dir, "book.db")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			spoilt := bytes.ReplaceAll(text, []byte(`"resetDay"`), []byte(`"resetD\ty"`)[:10])
			if bytes.Equal(text, spoilt) {
				t.Fatal("there is nothing to spoil")
			}
			if err := os.WriteFile(path, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stateDir(t)
			b := open(t, dir, func(s *tuber.Settings) { s.Limits.Upload = 1e6 })
			key := b.key
			if err := b.book.AddMembership(tuber.MembershipRecord{Site: tuber.PublicKey{1}, Host: "127.0.0.1:1"}); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir)
			b, _ = begin(t, dir, nil)
			if got := b.Settings().Limits.Upload; got != tuber.DefaultLimits().Upload {
				t.Errorf("got a cap of %v, want the default", got)
			}
			if st := b.Status(); !strings.Contains(st.Error, "settings were damaged") || len(st.Swarms) != 1 || !key.Equal(b.key) {
				t.Errorf("got %+v, want that said, and the swarm and the key kept", st)
			}
			if e := b.Events(); len(e) < 1 || e[0].Kind != tuber.EventFault || !strings.Contains(e[0].Text, "set aside") {
				t.Errorf("got %+v, want a fault first", e)
			}
			var kept []byte
			if ok, err := b.book.Setting(settingsName+".damaged", &kept); !ok || err != nil || !bytes.Contains(kept, []byte("resetD")) {
				t.Errorf("got %q, %v, %v set aside, want the record as it was", kept, ok, err)
			}
			if err := b.SetSettings(b.Settings()); err != nil || b.Status().Error != "" {
				t.Errorf("after the owner has looked: got %v, %q, want no error", err, b.Status().Error)
			}
		})
	}
}

// A fifth of what is free, and 10 GiB at most.
func TestDiskByDefault(t *testing.T) {
	const gb = 1 << 30
	for free, want := range map[uint64]uint64{0: 0, 5: 1, 20 * gb: 4 * gb, 50 * gb: 10 * gb, 1024 * gb: 10 * gb} {
		if got := diskOf(free); got != want {
			t.Errorf("with %d bytes free: got %d, want %d", free, got, want)
		}
	}
	b := open(t, stateDir(t), nil)
	defer b.Close()
	free, err := machine.FreeDisk(b.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	const other = gb / 4 // of what other programs wrote meanwhile
	if got, want := b.Settings().Limits.Disk, diskOf(free); max(got, want)-min(got, want) > other {
		t.Errorf("got %d bytes, want a fifth of the %d that are free", got, free)
	}
}

func TestEventsAreBounded(t *testing.T) {
	var l events
	for i := range 3 * tuber.MaxEvents {
		l.add(tuber.EventFault, "", strings.Repeat("x", i%7))
		l.add(tuber.EventFault, "", strings.Repeat("x", i%7)) // said once
	}
	all := l.all()
	if len(all) != tuber.MaxEvents {
		t.Errorf("got %d events, want %d", len(all), tuber.MaxEvents)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Text == all[i-1].Text || all[i].At.Before(all[i-1].At) {
			t.Fatalf("got %+v after %+v", all[i], all[i-1])
		}
	}
}
