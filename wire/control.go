package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/tubercdn/tuber"
)

// Message is one control message.
type Message interface{ messageType() string }

// Bytes are carried in JSON as unpadded base64url.
type Bytes []byte

// MarshalText writes unpadded base64url.
func (b Bytes) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText reads unpadded base64url.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	return err
}

// NonceSize is the length of a nonce in bytes.
const NonceSize = 32

// Challenge is the planner's first word.
type Challenge struct {
	Version     int             `json:"version"`
	Oldest      int             `json:"oldest"` // the oldest version it understands
	Nonce       Bytes           `json:"nonce"`
	Planner     tuber.PublicKey `json:"planner"`
	Certificate Bytes           `json:"certificate"` // by the site key
	Epoch       tuber.Epoch     `json:"epoch"`       // of the planner
	Now         tuber.Millis    `json:"now"`
}

// Join is the peer's first word. A rejoining peer says what it still has, so
// that the planner adopts it instead of moving it.
type Join struct {
	Version     int             `json:"version"`
	Key         tuber.PublicKey `json:"key"`
	Role        tuber.Role      `json:"role"`
	Name        string          `json:"name,omitempty"` // of a booster, at most tuber.MaxName bytes
	Fingerprint Bytes           `json:"fingerprint"`    // of its DTLS certificate
	Nonce       Bytes           `json:"nonce"`
	Signature   tuber.Signature `json:"signature"`        // over JoinStatement
	Ticket      string          `json:"ticket,omitempty"` // a viewer's
	Secret      Bytes           `json:"secret,omitempty"` // of an invite: enrols the key
	Means       tuber.Means     `json:"means"`
	Ranges      []tuber.Range   `json:"ranges,omitempty"`
	Links       []tuber.PeerID  `json:"links,omitempty"`
	Plan        *tuber.PeerPlan `json:"plan,omitempty"`    // the last one, if it still carries it out
	Changes     bool            `json:"changes,omitempty"` // it understands PlanChange
}

// JoinStatement is what a join's signature covers.
func JoinStatement(nonce []byte, planner tuber.PublicKey, fingerprint []byte) []byte {
	b := append([]byte(nil), nonce...)
	return append(append(b, planner[:]...), fingerprint...)
}

// Welcome proves the planner's key for this connection.
type Welcome struct {
	ID        tuber.PeerID    `json:"id"`
	Signature tuber.Signature `json:"signature"`      // by the planner, over WelcomeStatement
	STUN      []string        `json:"stun,omitempty"` // HOST:PORT, at most MaxSTUN; without a host: that of the control socket
	Name      string          `json:"name,omitempty"` // what the host calls itself, at most tuber.MaxName bytes
}

// MaxSTUN is how many STUN servers a welcome names.
const MaxSTUN = 4

// WelcomeStatement is what a welcome's signature covers.
func WelcomeStatement(nonce []byte, peer tuber.PublicKey) []byte {
	return append(append([]byte(nil), nonce...), peer[:]...)
}

// Code says why a planner refuses, or ends, a membership.
type Code string

const (
	CodeVersion    Code = "version"    // one side must update
	CodeProof      Code = "proof"      // a signature does not match
	CodeTicket     Code = "ticket"     // no valid ticket
	CodeInvite     Code = "invite"     // unknown, used, expired or revoked
	CodeUnknown    Code = "unknown"    // a booster that was never enrolled, or was removed
	CodeSuperseded Code = "superseded" // the same peer joined again elsewhere
	CodeQuarantine Code = "quarantine" // it sent a bad chunk
	CodeFull       Code = "full"       // too many peers
	CodeOff        Code = "off"        // the host switched peers off
)

// Refused ends the conversation. The sentence is for people.
type Refused struct {
	Code     Code   `json:"code"`
	Sentence string `json:"sentence"`
}

// Contents lists all that may be wanted now. It replaces the list before it.
type Contents struct {
	Contents []tuber.Content `json:"contents"`
}

// Want says what a viewer's player is asking for. It replaces the one before it.
type Want struct {
	Contents []tuber.ContentID `json:"contents"`
	Hidden   bool              `json:"hidden,omitempty"` // the tab is not visible
	Tabs     int               `json:"tabs,omitempty"`   // of the browser profile that have a player; 0 says nothing
}

// Plan carries a peer's part of the plan.
type Plan struct {
	tuber.PeerPlan
}

// PlanChange carries what is other in a peer's part of the plan than in the one
// that was sent before it in the same session: for those who said in their join that
// they understand it.
type PlanChange struct {
	tuber.PlanChange
}

// WholePlan makes a change of the plan heard last in a session into a plan; other
// messages are left alone. After an error no later change can be understood.
func WholePlan(m Message, heard **tuber.PeerPlan) (Message, error) {
	switch x := m.(type) {
	case Plan:
		*heard = &x.PeerPlan
	case PlanChange:
		p, err := x.Apply(*heard)
		if err != nil {
			return nil, err
		}
		*heard = p
		return Plan{*p}, nil
	}
	return m, nil
}

// SignalKind is what a signal holds.
type SignalKind string

const (
	SignalOffer     SignalKind = "offer"
	SignalAnswer    SignalKind = "answer"
	SignalCandidate SignalKind = "candidate"
)

// MaxSignal is the longest signal in bytes.
const MaxSignal = 8 << 10

// Signal opens a link. The planner puts the sender into Peer and passes it on.
type Signal struct {
	Peer    tuber.PeerID `json:"peer"`
	Kind    SignalKind   `json:"kind"`
	Attempt uint32       `json:"attempt"` // one for each PeerConnection, chosen by the side that offers
	Data    string       `json:"data"`    // SDP, or a candidate line with its "candidate:" prefix
}

// Report is the figures of the last interval.
type Report struct {
	tuber.Report
}

// Means replaces the means given with join: caps changed, paused, a new class of reach.
type Means struct {
	tuber.Means
}

// Alive renews the lease; the planner answers it with one of its own.
type Alive struct {
	// Confirmed is, in the planner's answer, the upload that receivers confirm
	// of this peer now, together.
	Confirmed tuber.BitsPerSecond `json:"confirmed,omitempty"`
}

// Leave ends a membership for good: a booster's owner left, or a page goes.
type Leave struct {
	Forget bool `json:"forget,omitempty"` // take the key out of the book too
}

// Quarantine names peers to close and not to link to.
type Quarantine struct {
	Peers []tuber.PeerID `json:"peers"`
}

// Withdraw names contents to delete within ten minutes.
type Withdraw struct {
	Contents []tuber.ContentID `json:"contents"`
}

func (Challenge) messageType() string  { return "challenge" }
func (Join) messageType() string       { return "join" }
func (Welcome) messageType() string    { return "welcome" }
func (Refused) messageType() string    { return "refused" }
func (Contents) messageType() string   { return "contents" }
func (Want) messageType() string       { return "want" }
func (Plan) messageType() string       { return "plan" }
func (PlanChange) messageType() string { return "change" }
func (Signal) messageType() string     { return "signal" }
func (Report) messageType() string     { return "report" }
func (Means) messageType() string      { return "means" }
func (Alive) messageType() string      { return "alive" }
func (Leave) messageType() string      { return "leave" }
func (Quarantine) messageType() string { return "quarantine" }
func (Withdraw) messageType() string   { return "withdraw" }

// Encode writes a control message; one over tuber.MaxControl is an error.
func Encode(m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.messageType(), err)
	}
	out := append([]byte(`{"type":"`), m.messageType()...)
	out = append(out, '"')
	if string(body) != "{}" {
		out = append(out, ',')
	}
	out = append(out, body[1:]...)
	if len(out) > tuber.MaxControl {
		return nil, fmt.Errorf("encode %s: %d bytes, at most %d", m.messageType(), len(out), tuber.MaxControl)
	}
	return out, nil
}

// Decode reads a control message. The error is ErrUnknown for a type this
// version does not know; such a message is ignored.
func Decode(b []byte) (Message, error) {
	if len(b) > tuber.MaxControl {
		return nil, fmt.Errorf("control message: %d bytes, at most %d", len(b), tuber.MaxControl)
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("control message: %w", err)
	}
	read, ok := decoders[head.Type]
	if !ok {
		return nil, fmt.Errorf("%w: %.32q", ErrUnknown, head.Type)
	}
	m, err := read(b)
	if err != nil {
		return nil, fmt.Errorf("control message %s: %w", head.Type, err)
	}
	return m, nil
}

// decoders never changes.
var decoders = map[string]func([]byte) (Message, error){
	"challenge": decode[Challenge], "join": decode[Join], "welcome": decode[Welcome],
	"refused": decode[Refused], "contents": decode[Contents], "want": decode[Want],
	"plan": decode[Plan], "change": decode[PlanChange], "signal": decode[Signal], "report": decode[Report],
	"means": decode[Means], "alive": decode[Alive], "leave": decode[Leave],
	"quarantine": decode[Quarantine], "withdraw": decode[Withdraw],
}

func decode[M Message](b []byte) (Message, error) {
	var m M
	err := json.Unmarshal(b, &m)
	return m, err
}
