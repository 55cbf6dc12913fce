package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

type controlRow struct {
	Name    string         `json:"name"`
	Text    string         `json:"text"`
	Message map[string]any `json:"message,omitempty"`
	Error   string         `json:"error,omitempty"`
}

func controlRows() []controlRow {
	key := testKey(2)
	pub := tuber.PublicKeyOf(key)
	nonce := bytes.Repeat([]byte{7}, NonceSize)
	messages := map[string]Message{
		"challenge": Challenge{Version: 1, Oldest: 1, Nonce: nonce, Planner: pub, Certificate: Bytes{1, 2}, Epoch: 4, Now: 1_799_999_000_000},
		"join of a viewer": Join{Version: 1, Key: pub, Role: tuber.RoleViewer, Fingerprint: nonce, Nonce: nonce,
			Signature: tuber.Sign(key, tuber.KindJoin, JoinStatement(nonce, pub, nonce)), Ticket: "abc", Means: tuber.Means{Upload: 5e6, Relay: true}},
		"join of a booster again": Join{Version: 1, Key: pub, Role: tuber.RoleBooster, Name: "attic", Fingerprint: nonce, Nonce: nonce,
			Means: tuber.Means{Upload: tuber.Unlimited, Reach: tuber.ReachDialable}, Links: []tuber.PeerID{pub.PeerID()},
			Ranges: []tuber.Range{{Content: content, Partitions: 3, First: 1, Next: 9}},
			Plan:   &tuber.PeerPlan{Epoch: 1, Version: 2}, Changes: true},
		"welcome":                 Welcome{ID: pub.PeerID()},
		"welcome with STUN ports": Welcome{ID: pub.PeerID(), STUN: []string{":3478", "stun.example.org:3479"}},
		"welcome of a named host": Welcome{ID: pub.PeerID(), Name: "Ann's attic"},
		"refused":                 Refused{Code: CodeInvite, Sentence: "this invite was used already"},
		"contents":                Contents{Contents: []tuber.Content{{ID: content, URL: "/live/index.m3u8", K: 4, Rate: 1.5e6, Epoch: 3, Target: 2000}}},
		"want":                    Want{Contents: []tuber.ContentID{content}, Hidden: true},
		"want of three tabs":      Want{Contents: []tuber.ContentID{content}, Tabs: 3},
		"plan": Plan{tuber.PeerPlan{Epoch: 4, Version: 11,
			Assignments:   []tuber.Assignment{{Content: content, Partitions: 5, To: pub.PeerID(), Rate: 750e3, Priority: 9}},
			Sources:       []tuber.Source{{Content: content, Partitions: 10, From: pub.PeerID(), Standby: true}},
			Holds:         []tuber.Hold{{Content: content, Partitions: 15, Window: 60e9, Priority: 1}},
			Introductions: []tuber.Introduction{{Peer: pub.PeerID(), Key: pub, Role: tuber.RoleBooster, Offer: true}},
			Grants:        []tuber.Grant{{Content: content, Rate: 2e6}}}},
		"plan of the third cell": Plan{tuber.PeerPlan{Epoch: 4, Version: 12, Cell: 2}},
		"change of a plan": PlanChange{tuber.PlanChange{From: 11, Epoch: 4, Version: 13, Cell: 1,
			Assignments:   tuber.Change[tuber.Assignment]{Less: []int{0}, More: []tuber.Assignment{{Content: content, Partitions: 4, To: pub.PeerID(), Rate: 750e3, Priority: 9}}},
			Sources:       tuber.Change[tuber.Source]{Less: []int{0}},
			Holds:         tuber.Change[tuber.Hold]{More: []tuber.Hold{{Content: content, Partitions: 3, Window: 60e9}}},
			Introductions: tuber.Change[tuber.Introduction]{More: []tuber.Introduction{{Peer: pub.PeerID(), Key: pub, Role: tuber.RoleViewer}}},
			Grants:        tuber.Change[tuber.Grant]{Less: []int{0}, More: []tuber.Grant{{Content: content, Rate: 1e6}}}}},
		"change of a plan that takes away what it has not": PlanChange{tuber.PlanChange{From: 11, Epoch: 4, Version: 13, Sources: tuber.Change[tuber.Source]{Less: []int{1}}}},
		"signal":                             Signal{Peer: pub.PeerID(), Kind: SignalOffer, Attempt: 3, Data: "v=0\r\n"},
		"report":                             Report{tuber.Report{Interval: 10e9, Links: []tuber.LinkReport{{Peer: pub.PeerID(), Sent: 10, Received: 20, Repairs: 3, Twice: 40, Busy: 1.5e9}}, HTTP: 5}},
		"means":                              Means{tuber.Means{Upload: 0}},
		"alive":                              Alive{},
		"alive, with what receivers confirm": Alive{Confirmed: 4_200_000},
		"leave":                              Leave{Forget: true},
		"quarantine":                         Quarantine{Peers: []tuber.PeerID{pub.PeerID()}},
		"withdraw":                           Withdraw{Contents: []tuber.ContentID{content}},
	}
	maps.Copy(messages, fullMessages())
	var rows []controlRow
	for _, name := range sortedKeys(messages) {
		text, err := Encode(messages[name])
		if err != nil {
			panic(err)
		}
		rows = append(rows, controlRow{Name: name, Text: string(text), Message: object(text)})
	}
	return append(rows,
		controlRow{Name: "a field of the future", Text: `{"type":"leave","forget":true,"song":"la"}`, Message: map[string]any{"type": "leave", "forget": true}},
		controlRow{Name: "a message of the future", Text: `{"type":"sing"}`, Error: "unknown"},
		controlRow{Name: "no type", Text: `{"forget":true}`, Error: "unknown"},
		controlRow{Name: "not JSON", Text: `type=leave`, Error: "malformed"},
		controlRow{Name: "cut short", Text: `{"type":"leave","forget":tr`, Error: "malformed"},
		controlRow{Name: "an array", Text: `["leave"]`, Error: "malformed"},
		controlRow{Name: "a peer id cut short", Text: `{"type":"signal","peer":"00ff","kind":"offer"}`, Error: "malformed"},
		controlRow{Name: "a key that is no base64url", Text: `{"type":"join","key":"!!"}`, Error: "malformed"},
		controlRow{Name: "a number where text belongs", Text: `{"type":"refused","code":4}`, Error: "malformed"})
}

// fullMessages leave no field at zero, so that a field that one language renames
// is missed by the other.
func fullMessages() map[string]Message {
	key := testKey(2)
	pub := tuber.PublicKeyOf(key)
	id, nonce := pub.PeerID(), bytes.Repeat([]byte{7}, NonceSize)
	means := tuber.Means{Upload: 5e6, Download: 50e6, Links: 12, Quota: 10 << 30, Reach: tuber.ReachPunchable, Relay: true}
	ranges := []tuber.Range{{Content: content, Partitions: 3, First: 1, Next: 9}}
	assignments := []tuber.Assignment{{Content: content, Partitions: 5, To: id, Rate: 750e3, Priority: 9}}
	sources := []tuber.Source{{Content: content, Partitions: 10, From: id, Standby: true}}
	holds := []tuber.Hold{{Content: content, Partitions: 15, Window: 60e9, Priority: 1}}
	introductions := []tuber.Introduction{{Peer: id, Key: pub, Role: tuber.RoleBooster, Offer: true}}
	grants := []tuber.Grant{{Content: content, Rate: 2e6}}
	plan := tuber.PeerPlan{Epoch: 4, Version: 11, Cell: 2, Assignments: assignments, Sources: sources,
		Holds: holds, Introductions: introductions, Grants: grants}
	less := []int{0, 2}
	return map[string]Message{
		"join in full": Join{Version: 1, Key: pub, Role: tuber.RoleBooster, Name: "attic", Fingerprint: nonce, Nonce: nonce,
			Signature: tuber.Sign(key, tuber.KindJoin, JoinStatement(nonce, pub, nonce)), Ticket: "abc", Secret: Bytes{1, 2, 3},
			Means: means, Ranges: ranges, Links: []tuber.PeerID{id}, Plan: &plan, Changes: true},
		"welcome in full": Welcome{ID: id, Signature: tuber.Sign(key, tuber.KindWelcome, WelcomeStatement(nonce, pub)),
			STUN: []string{":3478"}, Name: "Ann's attic"},
		"plan in full": Plan{plan},
		"change in full": PlanChange{tuber.PlanChange{From: 10, Epoch: 4, Version: 11, Cell: 2,
			Assignments:   tuber.Change[tuber.Assignment]{Less: less, More: assignments},
			Sources:       tuber.Change[tuber.Source]{Less: less, More: sources},
			Holds:         tuber.Change[tuber.Hold]{Less: less, More: holds},
			Introductions: tuber.Change[tuber.Introduction]{Less: less, More: introductions},
			Grants:        tuber.Change[tuber.Grant]{Less: less, More: grants}}},
		"report in full": Report{tuber.Report{Interval: 10e9, Ranges: ranges, HTTP: 5, Stalls: 1, Latency: 4e9, Stored: 1 << 30,
			Links: []tuber.LinkReport{{Peer: id, Sent: 10, Received: 20, Late: 2, RTT: 40e6, Queue: 300e6, Bad: true, Failed: true,
				Since: 60e9, Blame: &tuber.Blame{Content: content, Number: 41}, Repairs: 3, Twice: 40, Busy: 2e9}}}},
		"means in full": Means{means},
	}
}

// TestVectorsNameEveryField: what no vector names, TypeScript may read by any name.
func TestVectorsNameEveryField(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range corpus(t, "control.json", controlRows) {
		if m, err := Decode([]byte(row.Text)); err == nil {
			leaves(reflect.ValueOf(m), m.messageType(), seen)
		}
	}
	for name, read := range decoders {
		empty, err := read([]byte("{}"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, field := range named(reflect.TypeOf(empty), name) {
			if !seen[field] {
				t.Errorf("no vector has a value other than zero in %s", field)
			}
		}
	}
}

// named lists the fields of a message that are no objects themselves, by the
// names they have in JSON.
func named(t reflect.Type, at string) (out []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return []string{at}
	}
	for i := range t.NumField() {
		out = append(out, named(t.Field(i).Type, nameOf(t.Field(i), at))...)
	}
	return out
}

// leaves marks those of these fields that are not zero in v.
func leaves(v reflect.Value, at string, seen map[string]bool) {
	switch {
	case v.IsZero():
	case v.Kind() == reflect.Pointer:
		leaves(v.Elem(), at, seen)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			leaves(v.Index(i), at, seen)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), nameOf(v.Type().Field(i), at), seen)
		}
	default:
		seen[at] = true
	}
}

// nameOf is at for an embedded field, whose own fields stand in its place.
func nameOf(f reflect.StructField, at string) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return at
	}
	return at + "." + name
}

func object(text []byte) map[string]any {
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		panic(err)
	}
	return m
}

func TestVectorsControl(t *testing.T) {
	for _, row := range corpus(t, "control.json", controlRows) {
		m, err := Decode([]byte(row.Text))
		if kindOf(err) != row.Error {
			t.Errorf("%s: error %v, want %q", row.Name, err, row.Error)
			continue
		}
		if err != nil {
			continue
		}
		text, err := Encode(m)
		if err != nil || !reflect.DeepEqual(object(text), row.Message) {
			t.Errorf("%s: got %s, %v; want %v", row.Name, text, err, row.Message)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, row := range corpus(f, "control.json", controlRows) {
		f.Add([]byte(row.Text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		text, err := Encode(m)
		if err != nil {
			return // what was just under the bound may be over it when escaped
		}
		if _, err := Decode(text); err != nil {
			t.Fatalf("%s written as %s: %v", b, text, err)
		}
	})
}
