package watch

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/peer"
	"github.com/tubercdn/tuber/wire"
)

// pageUpload is what a page says that it can give; the planner learns what the
// line really does.
const pageUpload tuber.BitsPerSecond = 20e6

// member is a viewer's place in the swarm.
type member struct {
	cfg    *pageConfig
	base   string // scheme and host of the site
	host   string // of base
	client *http.Client
	peer   *peer.Peer
	chunks *held
	log    *slog.Logger
	fill   func(*tuber.Report)

	mu      sync.Mutex // guards the fields below
	path    string     // of the playlist that is played
	content tuber.ContentID
	known   bool // content is that of path
	offset  time.Duration
	grants  map[tuber.ContentID]tuber.BitsPerSecond
	list    []tuber.Content
	joined  bool
	last    *peer.SwarmStats // once it has left
}

func newMember(s *site, o *Options, client *http.Client, fill func(*tuber.Report)) (*member, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make peer key: %w", err)
	}
	m := &member{cfg: s.swarm, base: s.base.String(), host: s.base.Hostname(), client: client, log: o.Log, fill: fill}
	var uplink *tuber.Uplink
	if o.Upload != tuber.Unlimited {
		uplink = tuber.NewUplink(o.Upload)
	}
	if m.chunks, err = newHeld(s.swarm.Site, m.originTime); err != nil {
		return nil, err
	}
	m.peer, err = peer.New(peer.Config{
		Key: key, Role: tuber.RoleViewer, Uplink: uplink,
		AllowPrivate: o.LAN || local(s.base.Hostname(), true), Log: o.Log,
	})
	return m, err
}

// run keeps the membership until ctx ends. A refusal leaves the viewer to HTTP.
func (m *member) run(ctx context.Context, upload tuber.BitsPerSecond) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if err := m.peer.Run(ctx); err != nil {
			m.log.Debug("end the peer", "err", err)
		}
	})
	wg.Go(func() { _ = m.chunks.Run(ctx) }) // without a disk it cannot fail
	relay := m.cfg.Relay == "on" || m.cfg.Relay == ""
	means := tuber.Means{Relay: relay, Links: tuber.MaxLinks}
	if relay {
		means.Upload = min(upload, pageUpload)
	}
	err := m.peer.Join(ctx, peer.Membership{
		Site: m.cfg.Site, Chunks: m.chunks, Means: means, Dial: m.dial, Host: m.host, Ticket: m.ticket,
		Joined: m.hasJoined, Contents: m.setContents, Planned: m.planned, FillReport: m.fill,
	})
	if err != nil && ctx.Err() == nil {
		m.log.Info("the planner refused; the viewer goes on over HTTP", "err", err)
	}
	<-ctx.Done()
}

func (m *member) dial(ctx context.Context) (control.Conn, error) {
	return control.Dial(ctx, control.DialOptions{
		URL: "ws" + strings.TrimPrefix(m.base, "http") + m.cfg.Prefix + "control", Client: m.client,
	})
}

// ticket asks the origin as a page of the site does.
func (m *member) ticket(ctx context.Context, f tuber.Fingerprint) (string, error) {
	q, err := json.Marshal(map[string]wire.Bytes{"fingerprint": f[:]})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.base+m.cfg.Prefix+"ticket", bytes.NewReader(q))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", m.base)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := m.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	var a struct {
		Ticket string          `json:"ticket"`
		Now    tuber.Millis    `json:"now"`
		Site   tuber.PublicKey `json:"site"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxDocument)).Decode(&a); err != nil {
		return "", err
	}
	if a.Site != m.cfg.Site {
		return "", fmt.Errorf("the site has another key now than its page said")
	}
	m.mu.Lock()
	m.offset = time.Until(time.UnixMilli(int64(a.Now)))
	m.mu.Unlock()
	return a.Ticket, nil
}

func (m *member) hasJoined() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.joined = true
}

// originTime is the origin's clock.
func (m *member) originTime() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.offset)
}

// plays says which playlist the player reads.
func (m *member) plays(path string) {
	m.mu.Lock()
	m.path = path
	m.mu.Unlock()
	m.want()
}

func (m *member) setContents(list []tuber.Content) {
	m.mu.Lock()
	m.list = list
	m.mu.Unlock()
	m.want()
}

// want tells the planner what the player asks for, when that changes.
func (m *member) want() {
	m.mu.Lock()
	before, had := m.content, m.known
	m.known = false
	for _, c := range m.list {
		if c.URL == m.path {
			m.content, m.known = c.ID, true
		}
	}
	now, has := m.content, m.known
	m.mu.Unlock()
	if has == had && now == before {
		return
	}
	var wanted []tuber.ContentID
	if has {
		wanted = append(wanted, now)
	}
	if err := m.peer.SetWant(m.cfg.Site, wanted); err != nil {
		m.log.Debug("say what is wanted", "err", err)
	}
}

func (m *member) planned(p *tuber.PeerPlan) {
	grants := make(map[tuber.ContentID]tuber.BitsPerSecond)
	for _, g := range p.Grants {
		grants[g.Content] = g.Rate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.grants = grants
}

// grant is the rate at which the player may be answered; 0 for any.
func (m *member) grant(c tuber.ContentID) tuber.BitsPerSecond {
	m.mu.Lock()
	defer m.mu.Unlock()
	if rate, own := m.grants[c]; own {
		return rate
	}
	return m.grants[tuber.ContentID{}]
}

// stream is the content of the playlist that is played, if the swarm has it.
func (m *member) stream() (tuber.ContentID, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.content, m.known
}

// stats is the membership's figures.
func (m *member) stats() peer.SwarmStats { return m.peer.Stats()[m.cfg.Site] }

// leave tells the planner that the viewer goes, and keeps its last figures.
func (m *member) leave() {
	last := m.stats()
	last.Links = nil
	m.mu.Lock()
	m.last = &last
	m.mu.Unlock()
	if err := m.peer.Leave(m.cfg.Site, false); err != nil {
		m.log.Debug("leave", "err", err) // a viewer that is not told of leaves by its lease
	}
}

// add adds the membership's figures.
func (m *member) add(r *Result) {
	m.mu.Lock()
	last := m.last
	if m.joined {
		r.Joined++
	}
	m.mu.Unlock()
	if last == nil {
		now := m.stats()
		last = &now
	}
	r.Links += len(last.Links)
	r.Bytes.Sent += last.Sent
	r.Bytes.Origin += last.Rooted
	r.Bytes.Peers += last.Received - last.Rooted
}

// linked tells whether there are links that chunks can be expected from.
func (m *member) linked() bool { return len(m.stats().Links) > 0 }

// playlist is the signed copy that the player is shown; false where HTTP must answer.
func (m *member) playlist() (playlistCopy, bool) {
	c, ok := m.stream()
	if !ok || !m.linked() {
		return playlistCopy{}, false
	}
	return m.chunks.choose(c, time.Now(), tuber.MillisOf(m.originTime()))
}
