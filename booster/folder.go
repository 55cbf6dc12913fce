package booster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/machine"
	"github.com/tubercdn/tuber/store"
)

// freeShare is how much of the free disk a booster takes by default, at most.
const freeShare = 5 // a fifth

// defaults are the settings that nobody has chosen yet.
func (b *Booster) defaults() tuber.Settings {
	s := tuber.DefaultSettings()
	if free, err := machine.FreeDisk(b.cfg.Dir); err == nil {
		s.Limits.Disk = diskOf(free)
	}
	return s
}

// diskOf is the quota by default on a disk of which so much is free.
func diskOf(free uint64) uint64 { return min(tuber.DefaultLimits().Disk, free/freeShare) }

// folder is where chunk files rest.
func (b *Booster) folder() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.folderOf(b.record.Settings)
}

func (b *Booster) folderOf(s tuber.Settings) string {
	if s.Folder == "" {
		return b.cfg.Dir
	}
	return s.Folder
}

// checkFolder tells whether chunks can be kept where the settings say.
func checkFolder(folder string) error {
	if folder == "" {
		return nil
	}
	if !filepath.IsAbs(folder) {
		return fmt.Errorf("%w: the folder %q is not a whole path; write it from its beginning", tuber.ErrSettings, folder)
	}
	var trouble *store.FolderError
	if err := store.CheckFolder(folder); errors.As(err, &trouble) {
		return fmt.Errorf("%w: nothing can be kept in the folder %s (%v); make it writable or choose another one",
			tuber.ErrSettings, folder, trouble.Cause())
	}
	return nil
}

// moveChunks takes the chunk files of all swarms to another folder.
func (b *Booster) moveChunks(from, to string) {
	b.mu.Lock()
	var all []*membership
	for _, m := range b.swarms {
		all = append(all, m)
	}
	b.mu.Unlock()
	for _, m := range all {
		if s := m.store(); s != nil {
			if err := s.Move(m.file(to)); err != nil {
				b.log.Warn("chunks are not moved", "host", m.host(), "error", err)
			}
		} else if err := os.Rename(m.file(from), m.file(to)); err != nil {
			_ = os.Remove(m.file(from)) // another disk, or nothing there: it begins anew
		}
	}
}
