package tuber

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Class orders the claims on an uplink (design section 5.7): a lower one goes first.
type Class uint8

const (
	ClassControl Class = iota // control messages and documents
	ClassRoot                 // the first copy of a chunk
	ClassRepair               // chunks with a deadline that did not come
	ClassStart                // media for players that have nothing yet
	ClassRest                 // everything else
	classes
)

// leastPart is the part of the line that a class gets while it waits, whatever is
// more urgent: a player that has nothing must come to its first picture, and one
// without peers must play on, behind a line that is full of what others receive
// and have seconds to wait for. But without the first copy of a stream nobody has
// anything to pass on, and all turn to this line: of what Reserve leaves a class
// gets no more than its part of all such parts.
var leastPart = [classes]float64{ClassStart: 1. / 4, ClassRest: 1. / 8}

// leastOfAll is what they get of a line that carries no more than first copies.
const leastOfAll = 1. / 32

// uplinkBurst is how much of its rate an idle uplink may send at once.
const uplinkBurst = 50 * time.Millisecond

// Uplink is the one owner of a line's upload. All that leaves, over HTTP or
// over links, asks it first, so a cap is kept to the byte over time: a send may
// overdraw by its own length and the next one waits until that is paid back.
// Within a class it is first come, first served, see WaitSince; a lower class goes first, but
// see leastPart. A nil Uplink never waits.
//
// What is asked for is payload; who counts what really leaves, with headers and
// all that nobody asks for, tells it to Charge, and the cap holds for that.
type Uplink struct {
	whole *Uplink // of which this is a part; nil for a whole line

	mu      sync.Mutex // guards the fields below
	rate    BitsPerSecond
	kept    BitsPerSecond // for ClassRoot, by Reserve
	credit  float64       // bytes; negative while overdrawn
	filled  time.Time
	queues  [classes][]*claim
	passed  [classes]int // bytes of others that went while the first in a class's queue waited
	sent    [classes]uint64
	other   lately // control, and what was charged: what Reserve leaves is less by that
	left    uint64 // the line, by Charge
	charged uint64 // of that, beyond what was granted
	pumping *time.Timer
}

type claim struct {
	bytes   int
	since   time.Time // claims of a class are granted in this order
	granted chan struct{}
}

// NewUplink owns a line of this rate of payload.
func NewUplink(rate BitsPerSecond) *Uplink {
	return &Uplink{rate: rate, filled: time.Now()}
}

// Part is a share of the line with a cap of its own. What it sends waits for
// both, and counts once both have granted it.
func (u *Uplink) Part(rate BitsPerSecond) *Uplink {
	p := NewUplink(rate)
	p.whole = u
	return p
}

// longestDebt bounds for how long a line may have to keep silent for what was
// charged.
const longestDebt = 2 * time.Second

// Charge tells that so many bytes have left the line since the last call, those
// that were granted included. What nobody had asked for is paid for now.
func (u *Uplink) Charge(bytes uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left += bytes
	paid := u.charged
	for _, n := range u.sent {
		paid += n
	}
	if u.left <= paid {
		return // some of what was granted is still on its way to the line
	}
	u.refillLocked(time.Now())
	u.charged += u.left - paid
	u.other.add(float64(u.left-paid), time.Now())
	u.credit = max(u.credit-float64(u.left-paid), -u.rate.BytesPerSecond()*longestDebt.Seconds())
}

// Charged is how many bytes were paid for beyond those that were granted.
func (u *Uplink) Charged() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.charged
}

// SetRate changes the cap at once; 0 stops all sending until it is raised.
func (u *Uplink) SetRate(rate BitsPerSecond) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refillLocked(time.Now())
	u.rate = rate
	u.credit = min(u.credit, u.burstLocked())
	u.pumpLocked()
}

// Reserve says what the first copies of all streams take of the line.
func (u *Uplink) Reserve(rate BitsPerSecond) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.kept = rate
}

// Rate is the cap in force.
func (u *Uplink) Rate() BitsPerSecond {
	if u == nil {
		return Unlimited
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rate
}

// Sent is how many bytes of the class were granted so far.
func (u *Uplink) Sent(c Class) uint64 {
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sent[c]
}

// Total is how many bytes were granted so far.
func (u *Uplink) Total() uint64 {
	var sum uint64
	for c := range classes {
		sum += u.Sent(c)
	}
	return sum
}

// Wait returns nil once n bytes of class c may be sent, or the context's error.
func (u *Uplink) Wait(ctx context.Context, c Class, n int) error {
	return u.WaitSince(ctx, c, time.Now(), n)
}

// WaitSince is Wait for a part of something that began at that time: what began
// earlier goes first within the class. Of ten who share a line each would be
// served at the end; one after the other, half of them are by the middle.
func (u *Uplink) WaitSince(ctx context.Context, c Class, since time.Time, n int) error {
	if u == nil {
		return ctx.Err()
	}
	err := u.claim(ctx, c, since, n)
	if err != nil || u.whole == nil {
		return err
	}
	if err := u.whole.WaitSince(ctx, c, since, n); err != nil {
		return err
	}
	if u.Rate() == 0 { // it was stopped meanwhile
		if err := u.claim(ctx, c, since, 0); err != nil {
			return err
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent[c] += uint64(n)
	return nil
}

func (u *Uplink) claim(ctx context.Context, c Class, since time.Time, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u.mu.Lock()
	if u.rate == Unlimited { // then nobody waits
		u.grantedLocked(c, n)
		u.mu.Unlock()
		return nil
	}
	cl := &claim{bytes: n, since: since, granted: make(chan struct{})}
	at := len(u.queues[c])
	for at > 0 && u.queues[c][at-1].since.After(since) {
		at--
	}
	u.queues[c] = slices.Insert(u.queues[c], at, cl)
	u.pumpLocked()
	u.mu.Unlock()
	select {
	case <-cl.granted:
		return nil
	case <-ctx.Done():
		u.withdraw(c, cl)
		return ctx.Err()
	}
}

// grantedLocked counts for a whole line; Wait does for a part.
func (u *Uplink) grantedLocked(c Class, n int) {
	if u.whole == nil {
		u.sent[c] += uint64(n)
	}
}

// withdraw takes a claim back that nobody waits for any more. One that was
// granted in the same moment stays counted: the caller of Wait does not send,
// so the line is a little under its cap, never over.
func (u *Uplink) withdraw(c Class, cl *claim) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, q := range u.queues[c] {
		if q == cl {
			u.queues[c] = append(u.queues[c][:i], u.queues[c][i+1:]...)
			if i == 0 {
				u.passed[c] = 0
			}
			break
		}
	}
	u.pumpLocked()
}

func (u *Uplink) burstLocked() float64 {
	return u.rate.BytesPerSecond() * uplinkBurst.Seconds()
}

func (u *Uplink) refillLocked(now time.Time) {
	u.credit = min(u.credit+u.rate.BytesPerSecond()*now.Sub(u.filled).Seconds(), u.burstLocked())
	u.filled = now
}

// pumpLocked grants what the credit allows and arranges to come back for the rest.
func (u *Uplink) pumpLocked() {
	u.refillLocked(time.Now())
	for {
		c, any := u.nextLocked()
		if !any {
			return
		}
		if u.credit <= 0 && u.rate != Unlimited {
			u.againLocked()
			return
		}
		u.grantLocked(c)
	}
}

// nextLocked is the class whose turn it is.
func (u *Uplink) nextLocked() (next Class, any bool) {
	for c := range classes {
		if len(u.queues[c]) == 0 {
			continue
		}
		if !any {
			next, any = c, true
		}
		if least := u.leastLocked(c); next != ClassControl && least > 0 && least*float64(u.passed[c]) >= (1-least)*float64(u.queues[c][0].bytes) {
			return c, true
		}
	}
	return next, any
}

// leastLocked is the part of the line that a class gets while it waits.
func (u *Uplink) leastLocked(c Class) float64 {
	if leastPart[c] == 0 || u.kept == 0 || u.rate <= 0 {
		return leastPart[c]
	}
	const sum = 1./4 + 1./8
	left := 1 - (float64(u.kept)+8*u.other.perSecond(time.Now()))/float64(u.rate)
	return max(leastOfAll, min(leastPart[c], left*leastPart[c]/sum))
}

func (u *Uplink) grantLocked(c Class) {
	cl := u.queues[c][0]
	u.queues[c] = u.queues[c][1:]
	u.credit -= float64(cl.bytes)
	if c == ClassControl {
		u.other.add(float64(cl.bytes), time.Now())
	}
	u.grantedLocked(c, cl.bytes)
	for other := range classes {
		if other != c && len(u.queues[other]) > 0 {
			u.passed[other] += cl.bytes
		}
	}
	u.passed[c] = 0
	close(cl.granted)
}

// lately is a rate over some seconds.
type lately struct {
	sum float64
	at  time.Time
}

const latelyFor = 5 * time.Second

func (l *lately) add(bytes float64, now time.Time) {
	l.sum, l.at = l.perSecond(now)*latelyFor.Seconds()+bytes, now
}

// perSecond is bytes a second; what is latelyFor old counts for a third.
func (l *lately) perSecond(now time.Time) float64 {
	return l.sum * math.Exp(-float64(now.Sub(l.at))/float64(latelyFor)) / latelyFor.Seconds()
}

func (u *Uplink) againLocked() {
	if u.pumping != nil {
		u.pumping.Stop()
	}
	if u.rate <= 0 {
		return // SetRate pumps
	}
	wait := time.Duration((1 - u.credit) / u.rate.BytesPerSecond() * float64(time.Second))
	u.pumping = time.AfterFunc(max(wait, time.Millisecond), func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.pumpLocked()
	})
}
