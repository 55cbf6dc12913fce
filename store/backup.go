package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// backupIfDue copies the book if the copy is older than a day. Every value was
// read before, so damage never replaces a good copy.
func (b *Book) backupIfDue() error {
	if info, err := os.Stat(b.CopyPath()); err == nil && b.opts.Now().Sub(info.ModTime()) < backupEvery {
		return nil
	}
	return b.Backup()
}

// Backup copies the book now, atomically, over the copy before.
func (b *Book) Backup() error {
	temp := b.CopyPath() + ".new"
	if err := removeFile(temp); err != nil {
		return err
	}
	defer func() { _ = removeFile(temp) }()
	err := b.view(func(tx *bolt.Tx) error {
		if err := checkBook(tx); err != nil {
			return err
		}
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if err != nil {
			return err
		}
		_, err = tx.WriteTo(f)
		return errors.Join(err, f.Sync(), f.Close())
	})
	if err == nil {
		err = os.Rename(temp, b.CopyPath())
	}
	if err == nil {
		err = syncDir(filepath.Dir(b.CopyPath()))
	}
	if err != nil {
		return fmt.Errorf("copy the book: %w", err)
	}
	return nil
}
