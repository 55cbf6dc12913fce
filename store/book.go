package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The book, book.db. Every value is crc-32c of key and JSON, 4 bytes, then JSON:
// a flipped bit is an error and never another booster's key.
//
//	about/schema         4: bookSchema, without a checksum
//	epochs/WHICH         tuber.Epoch
//	invites/HASH         tuber.InviteRecord
//	boosters/PEER ID     tuber.BoosterRecord
//	memberships/SITE     tuber.MembershipRecord
//	settings/NAME        whatever the program put
//	keys/NAME            the seed of an Ed25519 key
const bookSchema = 1

var (
	bucketEpochs      = []byte("epochs")
	bucketInvites     = []byte("invites")
	bucketBoosters    = []byte("boosters")
	bucketMemberships = []byte("memberships")
	bucketSettings    = []byte("settings")
	bucketKeys        = []byte("keys")
	bookBuckets       = [][]byte{bucketEpochs, bucketInvites, bucketBoosters, bucketMemberships, bucketSettings, bucketKeys}
)

const (
	backupEvery = 24 * time.Hour
	backupLook  = 10 * time.Minute // how often Run looks whether a copy is due: laptops sleep
)

// BookOptions says where the book is.
type BookOptions struct {
	Path string           // book.db
	Now  func() time.Time // for the age of the copy; nil means the local clock
	Log  *slog.Logger     // nil discards
}

// Book keeps what must not be lost: keys, invites, boosters, memberships and
// settings. It is safe for concurrent use. Once it was found damaged every call
// returns that error.
type Book struct {
	opts BookOptions

	mu   sync.RWMutex // guards the field below; writers take turns under it
	file *boltFile
}

// OpenBook opens the book or begins the first one. A damaged one is never begun
// anew: the error names the file, its copy, and what to do.
func OpenBook(opts BookOptions) (*Book, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	b := &Book{opts: opts}
	if _, err := os.Stat(opts.Path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(b.CopyPath()); err == nil {
			return nil, b.explain(fmt.Errorf("%w: it is missing, but its copy is there", ErrDamaged))
		}
	}
	file, err := openBolt(opts.Path, initBook)
	if err != nil {
		return nil, b.explain(err)
	}
	b.file = file
	err = probeFile(file, checkBookSchema)
	if err == nil {
		err = file.view(checkBook)
	}
	if err == nil {
		err = os.Chmod(opts.Path, fileMode)
	}
	if err != nil {
		return nil, errors.Join(b.explain(fmt.Errorf("open %s: %w", opts.Path, err)), file.close())
	}
	if err := b.backupIfDue(); err != nil {
		opts.Log.Warn("the book has no fresh copy", "path", b.CopyPath(), "err", err)
	}
	return b, nil
}

// CopyPath is where the daily copy is.
func (b *Book) CopyPath() string { return b.opts.Path + ".bak" }

// Run makes the daily copy until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	ticker := time.NewTicker(backupLook)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := b.backupIfDue(); err != nil {
				b.opts.Log.Warn("the book has no fresh copy", "path", b.CopyPath(), "err", err)
			}
		}
	}
}

// Close closes the file.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.file.close()
}

func initBook(tx *bolt.Tx) error {
	for _, name := range bookBuckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	about, err := tx.CreateBucket(bucketAbout)
	if err != nil {
		return err
	}
	return about.Put(keySchema, binary.BigEndian.AppendUint32(nil, bookSchema))
}

func checkBookSchema(tx *bolt.Tx) error { return checkSchema(tx, bookSchema, bookBuckets...) }

// checkBook reads every value once. Settings are left to those who need them:
// they can be chosen again (SetAside), keys and invites cannot.
func checkBook(tx *bolt.Tx) error {
	for _, name := range bookBuckets {
		if bytes.Equal(name, bucketSettings) {
			continue
		}
		err := tx.Bucket(name).ForEach(func(k, v []byte) error {
			_, err := unwrap(k, v)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// explain adds to damage what a person can do about it.
func (b *Book) explain(err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	info, statErr := os.Stat(b.CopyPath())
	if statErr != nil {
		return fmt.Errorf("%w\nThe book %s holds the keys and invites and is not begun anew by itself. There is no copy of it; "+
			"to begin with a new one, move it away: invites and boosters must then be made again", err, b.opts.Path)
	}
	return fmt.Errorf("%w\nThe book %s holds the keys and invites and is not begun anew by itself. To restore the copy of %s: "+
		"stop every Tuber, move %s away if it is there, and copy %s to %s", err, b.opts.Path,
		info.ModTime().UTC().Format("2006-01-02 15:04 MST"), b.opts.Path, b.CopyPath(), b.opts.Path)
}

// view and update run fn in one transaction.
func (b *Book) view(fn func(*bolt.Tx) error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.explain(b.file.view(fn))
}

func (b *Book) update(fn func(*bolt.Tx) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.explain(b.file.update(fn))
}

// act is update with the name of the act before its error.
func (b *Book) act(name string, fn func(*bolt.Tx) error) error {
	if err := b.update(fn); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
