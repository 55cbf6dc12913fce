package store

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

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

// SetAside takes a setting that cannot be used out of the way: as it is, damage
// included, it stays in the book as a list of bytes under NAME.damaged.
func (b *Book) SetAside(name string) error {
	return b.act("set setting "+name+" aside", func(tx *bolt.Tx) error {
		bucket := tx.Bucket(bucketSettings)
		raw := slices.Clone(bucket.Get([]byte(name)))
		if raw == nil {
			return nil
		}
		if err := save(tx, bucketSettings, []byte(name+".damaged"), raw); err != nil {
			return err
		}
		return bucket.Delete([]byte(name))
	})
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
