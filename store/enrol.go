package store

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tubercdn/tuber"
)

// NextEpoch counts up and returns the new value, durable before it returns.
// which names who counts: each name has its own epochs, beginning with 1.
func (b *Book) NextEpoch(which string) (epoch tuber.Epoch, err error) {
	err = b.act("begin epoch of "+which, func(tx *bolt.Tx) error {
		if _, err := load(tx, bucketEpochs, []byte(which), &epoch); err != nil {
			return err
		}
		epoch++
		return save(tx, bucketEpochs, []byte(which), epoch)
	})
	return epoch, err
}

// AddInvite keeps an invite under its hash. Without an ID it gets the start of
// the hash, without a number of uses one.
func (b *Book) AddInvite(r tuber.InviteRecord) error {
	if r.ID == "" {
		r.ID = hex.EncodeToString(r.Hash[:4])
	}
	if r.Uses == 0 {
		r.Uses = 1
	}
	return b.act("add invite", func(tx *bolt.Tx) error { return save(tx, bucketInvites, r.Hash[:], r) })
}

// Invites lists all invites, the oldest first.
func (b *Book) Invites() ([]tuber.InviteRecord, error) {
	out, err := records[tuber.InviteRecord](b, "invites", bucketInvites)
	slices.SortFunc(out, func(x, y tuber.InviteRecord) int {
		if d := x.Created.Compare(y.Created); d != 0 {
			return d
		}
		return bytes.Compare(x.Hash[:], y.Hash[:])
	})
	return out, err
}

// RevokeInvite ends an invite by its short id; ErrInviteUnknown if there is none.
func (b *Book) RevokeInvite(id string) error {
	return b.act("revoke invite "+id, func(tx *bolt.Tx) error {
		var found []tuber.InviteRecord
		err := tx.Bucket(bucketInvites).ForEach(func(k, v []byte) error {
			var r tuber.InviteRecord
			if err := decode(k, v, &r); err != nil {
				return err
			}
			if r.ID == id {
				found = append(found, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return tuber.ErrInviteUnknown
		}
		for _, r := range found {
			r.Revoked = true
			if err := save(tx, bucketInvites, r.Hash[:], r); err != nil {
				return err
			}
		}
		return nil
	})
}

// Enrol burns one use of the invite with this hash and writes the booster, in
// one transaction: of many at once, as many succeed as there are uses. A booster
// that asks again because the answer was lost finds itself enrolled. One that
// was enrolled before keeps its history.
func (b *Book) Enrol(secret tuber.Digest, r tuber.BoosterRecord, now time.Time) error {
	if r.ID == (tuber.PeerID{}) {
		r.ID = r.Key.PeerID()
	}
	return b.act("enrol booster", func(tx *bolt.Tx) error {
		var inv tuber.InviteRecord
		known, err := load(tx, bucketInvites, secret[:], &inv)
		if err != nil {
			return err
		}
		var old tuber.BoosterRecord
		enrolled, err := load(tx, bucketBoosters, r.ID[:], &old)
		if err != nil {
			return err
		}
		if known && enrolled && old.Key == r.Key && slices.Contains(inv.UsedBy, r.ID) {
			return nil
		}
		if err := usable(known, inv, now); err != nil {
			return err
		}
		inv.Uses--
		inv.UsedBy = append(inv.UsedBy, r.ID)
		if err := save(tx, bucketInvites, secret[:], inv); err != nil {
			return err
		}
		r.Invite = inv.ID
		if r.Enrolled.IsZero() {
			r.Enrolled = now
		}
		if enrolled {
			r.Enrolled, r.Online, r.Delivered, r.Upload, r.Bad = old.Enrolled, old.Online, old.Delivered, old.Upload, old.Bad
		}
		return save(tx, bucketBoosters, r.ID[:], r)
	})
}

// usable says why an invite cannot be used. Revoked is said before expired and
// used: it is what the host meant.
func usable(known bool, inv tuber.InviteRecord, now time.Time) error {
	switch {
	case !known:
		return tuber.ErrInviteUnknown
	case inv.Revoked:
		return tuber.ErrInviteRevoked
	case inv.Uses <= 0:
		return tuber.ErrInviteUsed
	case !now.Before(inv.Expires):
		return tuber.ErrInviteExpired
	}
	return nil
}

// Booster reads one booster; false means that it is not enrolled.
func (b *Book) Booster(id tuber.PeerID) (r tuber.BoosterRecord, ok bool, err error) {
	err = b.view(func(tx *bolt.Tx) error {
		ok, err = load(tx, bucketBoosters, id[:], &r)
		return err
	})
	if err != nil {
		return tuber.BoosterRecord{}, false, fmt.Errorf("read booster: %w", err)
	}
	return r, ok, nil
}

// Boosters lists all boosters, by id.
func (b *Book) Boosters() ([]tuber.BoosterRecord, error) {
	return records[tuber.BoosterRecord](b, "boosters", bucketBoosters)
}

// SaveBooster replaces a booster's record.
func (b *Book) SaveBooster(r tuber.BoosterRecord) error {
	return b.act("save booster", func(tx *bolt.Tx) error { return save(tx, bucketBoosters, r.ID[:], r) })
}

// RemoveBooster forgets a booster; the invite it came by stays burnt.
func (b *Book) RemoveBooster(id tuber.PeerID) error {
	return b.act("remove booster", func(tx *bolt.Tx) error { return tx.Bucket(bucketBoosters).Delete(id[:]) })
}
