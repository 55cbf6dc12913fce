package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

// The chunk file, all big-endian:
//
//	about/schema          4: chunkSchema
//	about/site            32: the site key
//	index/content 16, first 8     one entry per run, below
//	runs/content 16, first 8/run  manifest length 4 | manifest, signature first |
//	                              the chunks of each held partition, ascending by partition, then by number
//
// Each run has a bucket of its own: bbolt rewrites a whole page with every key
// beside a new one, and with chunks for neighbours that would be several runs.
const (
	chunkSchema = 1
	keyBytes    = 16 + 8
	entryBytes  = 1 + 1 + 1 + 4 + 8 + 8 + 4 + 4
)

var (
	bucketAbout = []byte("about")
	bucketIndex = []byte("index")
	bucketRuns  = []byte("runs")
	keySchema   = []byte("schema")
	keySite     = []byte("site")
	keyRun      = []byte("run")
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
)

// entry is what the index says of one run on disk:
//
//	partitions held 1 | k 1 | chunks 1 | length 4 | expires 8 | written 8 | value bytes 4 | crc-32c of key and entry 4
type entry struct {
	content tuber.ContentID
	first   tuber.ChunkNumber
	parts   tuber.Partitions
	k       int
	count   int
	length  uint32 // bytes of the whole run
	expires tuber.Millis
	written tuber.Millis
	bytes   uint32 // of the value on disk

	idle time.Time // not on disk: since when no hold names it; zero while one does
}

func runKey(c tuber.ContentID, first tuber.ChunkNumber) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, keyBytes), c[:]...), uint64(first))
}

func (e *entry) key() []byte { return runKey(e.content, e.first) }

func (e *entry) next() tuber.ChunkNumber { return e.first + tuber.ChunkNumber(e.count) }

// size is the length of chunk n.
func (e *entry) size(n tuber.ChunkNumber) int {
	if n == e.next()-1 {
		return int(e.length) - (e.count-1)*tuber.ChunkSize
	}
	return tuber.ChunkSize
}

// has tells whether chunk n is in the value.
func (e *entry) has(n tuber.ChunkNumber) bool {
	return n >= e.first && n < e.next() && e.parts.Has(n.Partition(e.k))
}

// each calls fn for every chunk of the value in the order in which they stand.
func (e *entry) each(fn func(n tuber.ChunkNumber)) {
	for p := range tuber.Partition(e.k) {
		if !e.parts.Has(p) {
			continue
		}
		for n := e.firstOf(p); n < e.next(); n += tuber.ChunkNumber(e.k) {
			fn(n)
		}
	}
}

// firstOf is the first number of partition p, perhaps past the run's end.
func (e *entry) firstOf(p tuber.Partition) tuber.ChunkNumber {
	k := tuber.ChunkNumber(e.k)
	return e.first + (tuber.ChunkNumber(p)+k-e.first%k)%k
}

// offset is where chunk n begins behind the manifest.
func (e *entry) offset(n tuber.ChunkNumber) int {
	at := 0
	e.each(func(m tuber.ChunkNumber) {
		p, q := m.Partition(e.k), n.Partition(e.k)
		if p < q || (p == q && m < n) {
			at += e.size(m)
		}
	})
	return at
}

func (e *entry) encode() []byte {
	be := binary.BigEndian
	b := append(make([]byte, 0, entryBytes), byte(e.parts), byte(e.k), byte(e.count))
	b = be.AppendUint32(b, e.length)
	b = be.AppendUint64(b, uint64(e.expires))
	b = be.AppendUint64(b, uint64(e.written))
	b = be.AppendUint32(b, e.bytes)
	return be.AppendUint32(b, checksum(e.key(), b))
}

func decodeEntry(key, value []byte) (*entry, error) {
	if len(key) != keyBytes || len(value) != entryBytes {
		return nil, fmt.Errorf("%w: index entry of %d and %d bytes", ErrDamaged, len(key), len(value))
	}
	c := tuber.NewCursor(value)
	e := &entry{content: tuber.ContentID(key[:16]), first: tuber.ChunkNumber(binary.BigEndian.Uint64(key[16:]))}
	e.parts, e.k, e.count = tuber.Partitions(c.Uint8()), int(c.Uint8()), int(c.Uint8())
	e.length = c.Uint32()
	e.expires, e.written = tuber.Millis(c.Uint64()), tuber.Millis(c.Uint64())
	e.bytes = c.Uint32()
	if c.Uint32() != checksum(key, value[:entryBytes-4]) || !partitions(e.k) || e.count == 0 || e.count > tuber.MaxRun {
		return nil, fmt.Errorf("%w: index entry of %s at %d", ErrDamaged, e.content, e.first)
	}
	return e, nil
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// initChunks writes the empty schema.
func initChunks(site tuber.PublicKey) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketIndex, bucketRuns} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		about, err := tx.CreateBucket(bucketAbout)
		if err != nil {
			return err
		}
		if err := about.Put(keySchema, binary.BigEndian.AppendUint32(nil, chunkSchema)); err != nil {
			return err
		}
		return about.Put(keySite, site[:])
	}
}

// checkSchema returns ErrNewer for a newer file and ErrDamaged for a foreign one.
func checkSchema(tx *bolt.Tx, own uint32, buckets ...[]byte) error {
	about := tx.Bucket(bucketAbout)
	if about == nil {
		return fmt.Errorf("%w: it has no schema", ErrDamaged)
	}
	v := about.Get(keySchema)
	if len(v) != 4 {
		return fmt.Errorf("%w: it has no schema", ErrDamaged)
	}
	if is := binary.BigEndian.Uint32(v); is > own {
		return fmt.Errorf("schema %d, this program knows %d: %w", is, own, ErrNewer)
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: it has no %s", ErrDamaged, name)
		}
	}
	return nil
}
