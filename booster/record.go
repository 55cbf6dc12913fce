package booster

import (
	"encoding/json"
	"time"

	"github.com/tubercdn/tuber"
)

// record is what the owner chose and what has to outlive a restart. It rests in
// the book as one setting.
type record struct {
	tuber.Settings
	pause
	Bound  uint16                           `json:"bound,omitempty"`  // the UDP port, kept so that a forwarding rule stays true
	Proven tuber.BitsPerSecond              `json:"proven,omitempty"` // the most upload that receivers confirmed
	Sums   sums                             `json:"sums,omitzero"`
	Swarms map[tuber.PublicKey]*swarmRecord `json:"swarms,omitempty"`
}

// swarmRecord is what is kept of one swarm beside its membership.
type swarmRecord struct {
	pause
	Sums sums `json:"sums,omitzero"`
}

// pause is the owner's, by wall time: it has to hold over sleep and restarts.
type pause struct {
	Paused bool      `json:"paused,omitempty"`
	Until  time.Time `json:"until,omitzero"` // when the pause ends; zero: when it is ended
}

func (p *pause) pausedAt(now time.Time) bool {
	return p.Paused && (p.Until.IsZero() || now.Before(p.Until))
}

// sums are what was sent, in bytes, and to how many peers.
type sums struct {
	Sent   tally `json:"sent,omitempty"`
	Spent  tally `json:"spent,omitempty"` // of Sent, what the allowance counts
	Helped tally `json:"helped,omitempty"`
}

func newRecord() record { return record{Settings: tuber.DefaultSettings()} }

// readRecord reads what an earlier start kept, by this version or by the first
// one. What it does not say stays as it is by default.
func readRecord(text []byte) (record, error) {
	r := newRecord()
	r.Rules = tuber.Rules{}
	var first struct { // what the first version wrote besides
		Period time.Time `json:"period"`
		Spent  uint64    `json:"spent"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &first); err != nil {
		return r, err
	}
	if r.Rules == (tuber.Rules{}) { // it was the first version, whose port was not chosen but kept
		r.Rules = tuber.DefaultSettings().Rules
		r.Bound, r.Port = r.Port, 0
		if !first.Period.IsZero() {
			r.Sums.Spent = tally{{Day: dateOf(first.Period.Local()), Count: first.Spent}}
		}
	}
	return r, r.Check()
}

// spent is what counts against the allowance of the month that now is in.
func (r *record) spent(now time.Time) uint64 { return r.Sums.month(now, r.ResetDay) }

// swarm is what is kept of a swarm; it is begun where there is nothing yet.
func (r *record) swarm(site tuber.PublicKey) *swarmRecord {
	s := r.Swarms[site]
	if s == nil {
		s = new(swarmRecord)
		if r.Swarms == nil {
			r.Swarms = make(map[tuber.PublicKey]*swarmRecord)
		}
		r.Swarms[site] = s
	}
	return s
}

// share is what a swarm may take of the upload cap, in percent; 0: all.
func (r *record) share(site tuber.PublicKey) int {
	for _, s := range r.Shares {
		if s.Site == site {
			return s.Percent
		}
	}
	return 0
}

// count adds bytes that were sent; spent are those of them that the allowance
// counts.
func (s *sums) count(sent, spent uint64, now time.Time) {
	s.Sent = s.Sent.add(dateOf(now), sent)
	s.Spent = s.Spent.add(dateOf(now), spent)
}

func (s *sums) today(now time.Time) uint64 { return s.Sent.since(dateOf(now)) }

// helped is how many peers were sent something today.
func (s *sums) helped(now time.Time) *int {
	n := int(s.Helped.since(dateOf(now)))
	return &n
}

func (s *sums) month(now time.Time, resetDay int) uint64 {
	return s.Spent.since(periodOf(now, resetDay))
}
