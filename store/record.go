package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

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
