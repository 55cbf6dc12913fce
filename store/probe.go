package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"
)

// probe walks the pages that the buckets are made of before bbolt follows them:
// bbolt checks none, so a page that leads back to itself would recurse until
// the stack ends, which no recover stops, and one past the end of the file
// would fault. It reads the file, never its mapping. The pages of single runs
// are only counted, not read: their bytes are proved when they are served.
//
// The layout is bbolt's, in the machine's byte order: page = id 8 | flags 2 |
// count 2 | overflow 4, then 16 bytes an element; a branch's = position 4 |
// key length 4 | page 8, a leaf's = flags 4 | position 4 | key length 4 |
// value length 4, positions counted from the element. A bucket's value = root
// page 8 | sequence 8, and with root 0 the page itself.
type probe struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64 // in use; the file must hold them all
	seen     map[uint64]bool
}

const (
	pageBranch   = 1
	pageLeaf     = 2
	pageHeader   = 16
	pageElement  = 16
	bucketHeader = 16
	maxProbe     = 64 << 20 // bytes of one page with its overflow
)

// probeFile is ErrDamaged unless every bucket of the file can be walked, and
// what check says of the schema before anything else but the root is judged: a
// newer file may be laid out otherwise.
func probeFile(b *boltFile, check func(*bolt.Tx) error) error {
	info, err := b.handle.Stat()
	if err != nil {
		return err
	}
	return b.view(func(tx *bolt.Tx) error {
		size := int64(tx.DB().Info().PageSize)
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it is cut short, %d bytes of %d", ErrDamaged, info.Size(), tx.Size())
		}
		root, pages := uint64(tx.Cursor().Bucket().RootPage()), uint64(tx.Size()/size)
		start := func() *probe {
			return &probe{file: b.handle, pageSize: size, pages: pages, seen: map[uint64]bool{0: true, 1: true}}
		}
		p := start()
		err := p.walk(root, func(key, bucket []byte) error {
			if bytes.Equal(key, bucketAbout) {
				return p.top(key, bucket)
			}
			return nil
		})
		if err == nil {
			err = check(tx)
		}
		if err != nil {
			return err
		}
		p = start()
		return p.walk(root, p.top)
	})
}

// visit is told of each element of a leaf; bucket is nil for a plain value.
type visit func(key, bucket []byte) error

// top walks into every bucket of the root.
func (p *probe) top(key, bucket []byte) error {
	if bucket == nil {
		return fmt.Errorf("%w: a value where a bucket should be", ErrDamaged)
	}
	inside := p.plain
	if bytes.Equal(key, bucketRuns) {
		inside = p.count
	}
	if root := binary.NativeEndian.Uint64(bucket); root != 0 {
		return p.walk(root, inside)
	}
	return p.elements(bucket[bucketHeader:], inside)
}

// plain is for buckets without buckets inside.
func (p *probe) plain(_, bucket []byte) error {
	if bucket != nil {
		return fmt.Errorf("%w: a bucket where a value should be", ErrDamaged)
	}
	return nil
}

// count takes note of a run's root page, so that no two share one.
func (p *probe) count(_, bucket []byte) error {
	if bucket == nil {
		return fmt.Errorf("%w: a value where a run should be", ErrDamaged)
	}
	if root := binary.NativeEndian.Uint64(bucket); root != 0 {
		return p.claim(root)
	}
	return nil
}

func (p *probe) claim(id uint64) error {
	if id >= p.pages || p.seen[id] {
		return fmt.Errorf("%w: page %d is used twice or does not exist", ErrDamaged, id)
	}
	p.seen[id] = true
	return nil
}

// walk reads a page and those below it; claim ends every circle.
func (p *probe) walk(id uint64, fn visit) error {
	if err := p.claim(id); err != nil {
		return err
	}
	page := make([]byte, p.pageSize)
	if _, err := p.file.ReadAt(page, int64(id)*p.pageSize); err != nil {
		return fmt.Errorf("read page %d: %w", id, err)
	}
	overflow := uint64(binary.NativeEndian.Uint32(page[12:]))
	whole := (1 + int64(overflow)) * p.pageSize
	if binary.NativeEndian.Uint64(page) != id || id+overflow >= p.pages || whole > maxProbe {
		return fmt.Errorf("%w: page %d does not know itself", ErrDamaged, id)
	}
	for next := id + 1; next <= id+overflow; next++ {
		if err := p.claim(next); err != nil {
			return err
		}
	}
	if overflow > 0 {
		page = make([]byte, whole)
		if _, err := p.file.ReadAt(page, int64(id)*p.pageSize); err != nil {
			return fmt.Errorf("read page %d: %w", id, err)
		}
	}
	if binary.NativeEndian.Uint16(page[8:]) == pageBranch {
		return p.children(page, fn)
	}
	return p.elements(page, fn)
}

func (p *probe) children(page []byte, fn visit) error {
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if count == 0 || pageHeader+count*pageElement > len(page) {
		return fmt.Errorf("%w: a branch of %d elements", ErrDamaged, count)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		if _, err := cut(page, at, binary.NativeEndian.Uint32(page[at:]), binary.NativeEndian.Uint32(page[at+4:])); err != nil {
			return err
		}
		if err := p.walk(binary.NativeEndian.Uint64(page[at+8:]), fn); err != nil {
			return err
		}
	}
	return nil
}

// elements visits a leaf.
func (p *probe) elements(page []byte, fn visit) error {
	if len(page) < pageHeader || binary.NativeEndian.Uint16(page[8:]) != pageLeaf {
		return fmt.Errorf("%w: a page is neither branch nor leaf", ErrDamaged)
	}
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if pageHeader+count*pageElement > len(page) {
		return fmt.Errorf("%w: a leaf of %d elements", ErrDamaged, count)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		flags, pos := binary.NativeEndian.Uint32(page[at:]), binary.NativeEndian.Uint32(page[at+4:])
		keyLen, valueLen := binary.NativeEndian.Uint32(page[at+8:]), binary.NativeEndian.Uint32(page[at+12:])
		key, err := cut(page, at, pos, keyLen)
		if err != nil {
			return err
		}
		value, err := cut(page, at+int(keyLen), pos, valueLen)
		if err != nil {
			return err
		}
		if flags&1 == 0 {
			value = nil
		} else if len(value) < bucketHeader {
			return fmt.Errorf("%w: a bucket of %d bytes", ErrDamaged, len(value))
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
	return nil
}

// cut is the bytes that an element at this place points to.
func cut(page []byte, at int, pos, length uint32) ([]byte, error) {
	from := int64(at) + int64(pos)
	if from+int64(length) > int64(len(page)) {
		return nil, fmt.Errorf("%w: an element points out of its page", ErrDamaged)
	}
	return page[from : from+int64(length)], nil
}
