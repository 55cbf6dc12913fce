package store

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
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
	if err := errors.Join(file.view(checkBook), os.Chmod(opts.Path, fileMode)); err != nil {
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

// checkBook reads every value once.
func checkBook(tx *bolt.Tx) error {
	if err := checkSchema(tx, bookSchema, bookBuckets...); err != nil {
		return err
	}
	for _, name := range bookBuckets {
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

// Key is the program's own Ed25519 key of this name, made on first use.
func (b *Book) Key(name string) (ed25519.PrivateKey, error) {
	var seed []byte
	read := func(tx *bolt.Tx) error {
		_, err := load(tx, bucketKeys, []byte(name), &seed)
		return err
	}
	if err := b.view(read); err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	if seed == nil {
		err := b.update(func(tx *bolt.Tx) error {
			if err := read(tx); err != nil || seed != nil {
				return err
			}
			_, key, err := ed25519.GenerateKey(nil)
			if err != nil {
				return err
			}
			seed = key.Seed()
			return save(tx, bucketKeys, []byte(name), seed)
		})
		if err != nil {
			return nil, fmt.Errorf("make key %s: %w", name, err)
		}
	}
	if len(seed) != ed25519.SeedSize {
		return nil, b.explain(fmt.Errorf("read key %s: %w: %d bytes", name, ErrDamaged, len(seed)))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// PutSetting keeps v as JSON under a name.
func (b *Book) PutSetting(name string, v any) error {
	return b.act("save setting "+name, func(tx *bolt.Tx) error { return save(tx, bucketSettings, []byte(name), v) })
}

// Setting reads the setting into v, a pointer, and tells whether there is one.
func (b *Book) Setting(name string, v any) (ok bool, err error) {
	err = b.view(func(tx *bolt.Tx) error {
		ok, err = load(tx, bucketSettings, []byte(name), v)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read setting %s: %w", name, err)
	}
	return ok, nil
}

// AddMembership keeps a swarm that this booster joined; one per site.
func (b *Book) AddMembership(m tuber.MembershipRecord) error {
	return b.act("save membership", func(tx *bolt.Tx) error { return save(tx, bucketMemberships, m.Site[:], m) })
}

// Memberships lists the swarms that this booster joined.
func (b *Book) Memberships() ([]tuber.MembershipRecord, error) {
	return records[tuber.MembershipRecord](b, "memberships", bucketMemberships)
}

// RemoveMembership forgets a swarm that was left.
func (b *Book) RemoveMembership(site tuber.PublicKey) error {
	return b.act("remove membership", func(tx *bolt.Tx) error { return tx.Bucket(bucketMemberships).Delete(site[:]) })
}

// act is update with the name of the act before its error.
func (b *Book) act(name string, fn func(*bolt.Tx) error) error {
	if err := b.update(fn); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// records reads all records of one bucket.
func records[T any](b *Book, name string, bucket []byte) (out []T, err error) {
	err = b.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			var r T
			out = append(out, r)
			return decode(k, v, &out[len(out)-1])
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return out, nil
}

func save(tx *bolt.Tx, bucket, key []byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put(key, append(binary.BigEndian.AppendUint32(nil, checksum(key, body)), body...))
}

// load reads one record into v; false means that there is none.
func load(tx *bolt.Tx, bucket, key []byte, v any) (bool, error) {
	raw := tx.Bucket(bucket).Get(key)
	if raw == nil {
		return false, nil
	}
	return true, decode(key, raw, v)
}

func decode(key, raw []byte, v any) error {
	body, err := unwrap(key, raw)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

func unwrap(key, raw []byte) ([]byte, error) {
	if len(raw) < 4 || binary.BigEndian.Uint32(raw) != checksum(key, raw[4:]) {
		return nil, fmt.Errorf("%w: a record does not match its checksum", ErrDamaged)
	}
	return raw[4:], nil
}

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
