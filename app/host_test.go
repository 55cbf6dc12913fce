package app

import (
	"errors"
	"image"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"github.com/tubercdn/tuber"
)

func openHost(s *stand) *hostPage {
	s.u.goTo(s.page("Host"))
	s.tick()
	return s.u.pages[s.u.open].(*hostPage)
}

func TestHostingStartsAndIsRemembered(t *testing.T) {
	s := newStand(t, "en")
	p := openHost(s)
	test.Type(p.setup.upstream.entry, "127.0.0.1:8000/")
	test.Type(p.setup.name.entry, "Ann’s show")
	test.Type(p.setup.public.entry, "tv.example")
	test.Type(p.setup.uplink.entry, "10")
	s.tap("Start")
	want := tuber.HostSetup{Upstream: "http://127.0.0.1:8000", Name: "Ann’s show", Public: "tv.example", Uplink: 10e6}
	s.did("start {Upstream:http://127.0.0.1:8000 Folder: Name:Ann’s show Public:tv.example Listen: Uplink:10.0 Mbit/s OuterHTTPS:false Proxy:}", "own")
	if s.desk.settings.Hosting != want {
		t.Errorf("remembered: %+v", s.desk.settings.Hosting)
	}
	s.hosting.state = tuber.HostState{Enabled: true, Site: "https://tv.example/"}
	s.tick()
	s.sees("Serving", "https://tv.example/", "[Stop]")
	s.misses("What to serve")
	s.tap("Stop")
	s.did("stop")
}

func TestAFolderIsServed(t *testing.T) {
	s := newStand(t, "en")
	p := openHost(s)
	p.setup.kind.SetSelected("A folder of files")
	s.misses("Its address")
	p.setup.folder.entry.SetText("/home/ann/films")
	s.tap("Start")
	s.did("start {Upstream: Folder:/home/ann/films Name: Public: Listen: Uplink:0 kbit/s OuterHTTPS:false Proxy:}", "own")
}

func TestVisitorsThroughAProxy(t *testing.T) {
	s := newStand(t, "en")
	p := openHost(s)
	p.setup.upstream.entry.SetText("http://127.0.0.1:8000")
	s.misses("The proxy’s address")
	p.setup.https.SetChecked(true)
	s.sees("The proxy’s address")
	for _, bad := range []string{"", "192.168.1.20", "localhost", "router"} {
		p.setup.public.entry.SetText(bad)
		s.tap("Start")
		s.sees("by which visitors reach the proxy")
	}
	p.setup.public.entry.SetText("tv.example")
	for _, bad := range []string{"proxy", "1.2.3", "10.0.0.0/99", "192.168.1.2:80"} {
		p.setup.proxy.entry.SetText(bad)
		s.tap("Start")
		s.sees("Write an address in numbers")
	}
	p.setup.proxy.entry.SetText("10.0.0.0/8")
	s.tap("Start")
	s.did("start {Upstream:http://127.0.0.1:8000 Folder: Name: Public:tv.example Listen: Uplink:0 kbit/s OuterHTTPS:true Proxy:10.0.0.0/8}", "own")
	again := newStand(t, "en", func(n *stand) { n.desk.settings = s.desk.settings })
	p = openHost(again)
	if !p.setup.https.Checked || p.setup.proxy.entry.Text != "10.0.0.0/8" {
		t.Error("the proxy is not remembered")
	}
	p.setup.https.SetChecked(false)
	again.tap("Start")
	again.did("start {Upstream:http://127.0.0.1:8000 Folder: Name: Public:tv.example Listen: Uplink:0 kbit/s OuterHTTPS:false Proxy:}", "own")
}

func TestBadHostSetups(t *testing.T) {
	s := newStand(t, "en")
	p := openHost(s)
	for _, bad := range []string{"", "ftp://x", "http://", "http://user:pw@x/", "http://x/path", "http://x/?q", "http://[::1", "a b", strings.Repeat("x", 1<<12) + "://", "javascript://x"} {
		p.setup.upstream.entry.SetText(bad)
		s.tap("Start")
		if !p.setup.upstream.problem.Visible() {
			t.Errorf("%.40q is taken", bad)
		}
	}
	p.setup.upstream.entry.SetText("http://127.0.0.1:8000")
	for _, bad := range []string{"https://tv.example", "a b", "x/y", "tv.example:0", "tv.example:99999", "tv.example:x", strings.Repeat("x", 300), "x\u202e"} {
		p.setup.public.entry.SetText(bad)
		s.tap("Start")
		if !p.setup.public.problem.Visible() {
			t.Errorf("%.40q is taken", bad)
		}
	}
	p.setup.public.entry.SetText("")
	for _, bad := range []string{"-1", "0", "no limit", "much", "1e3"} {
		p.setup.uplink.entry.SetText(bad)
		s.tap("Start")
		if !p.setup.uplink.problem.Visible() {
			t.Errorf("%q is taken", bad)
		}
	}
	p.setup.uplink.entry.SetText("")
	p.setup.name.entry.SetText(strings.Repeat("x", 61))
	s.tap("Start")
	s.sees("at most 60 ordinary characters")
	for _, long := range []string{strings.Repeat("ä", 33), strings.Repeat("夜", 22), strings.Repeat("🥔", 17)} {
		p.setup.name.entry.SetText(long)
		s.tap("Start")
		s.sees("Write a shorter name")
	}
	s.did()
	p.setup.name.entry.SetText(strings.Repeat("ä", 30))
	s.tap("Start")
	s.misses("Write a shorter name")
}

func TestAHostThatDoesNotStart(t *testing.T) {
	s := newStand(t, "en", func(s *stand) { s.hosting.fail = errors.New("listen on :443: permission denied") })
	p := openHost(s)
	p.setup.upstream.entry.SetText("http://127.0.0.1:8000")
	s.tap("Start")
	s.sees("listen on :443: permission denied")
	if s.desk.settings.Hosting != (tuber.HostSetup{}) {
		t.Error("what did not work is remembered")
	}
}

func TestStoppingAsksWhileSomebodyWatches(t *testing.T) {
	s := newStand(t, "en", serving)
	openHost(s)
	s.list = nil
	s.tap("Stop")
	s.did()
	s.sees("23 viewers are watching now.")
	s.tap("Go on serving")
	s.did()
}

func TestInvitesAreMadeShownAndRevoked(t *testing.T) {
	s := newStand(t, "en", serving)
	p := openHost(s)
	s.list = nil
	p.live.invites.note.SetText("Fritz")
	p.live.invites.uses.SetText("3")
	p.live.invites.life.SetSelected("7 days")
	s.tap("Make an invite")
	s.did("invite {Uses:3 Life:168h0m0s Note:Fritz}")
	s.sees("It is shown once", testInvite("tv.example", 7).URL())
	s.tap("Copy link")
	if got, err := tuber.ParseInvite(s.app.Clipboard().Content()); err != nil || got.Host != "tv.example" {
		t.Errorf("the clipboard has %v, %v", got, err)
	}
	s.tap("Done")
	s.misses("It is shown once")
	s.sees("the club", "7 uses left", "used by Ben’s PC, Carla", "Expired", "used by somebody who left")
	s.tap("Revoke")
	s.did("revoke 99887766")
	for _, bad := range []string{"", "0", "-1", "1001", "x", "1.5"} {
		p.live.invites.uses.SetText(bad)
		s.tap("Make an invite")
		s.sees("from 1 to 1000")
	}
	s.did()
}

func TestABoosterIsRemovedAfterAQuestion(t *testing.T) {
	s := newStand(t, "en", serving)
	p := openHost(s)
	s.list = nil
	p.live.boosters.remove(tuber.PeerID{2}, "Carla")
	s.sees("Remove this booster?", "Carla no longer carries")
	s.tap("Keep")
	s.did()
	p.live.boosters.remove(tuber.PeerID{2}, "Carla")
	s.tap("Remove")
	s.did("remove 02")
}

func TestTheMachineIsKeptAwakeOnlyForViewers(t *testing.T) {
	s := newStand(t, "en", serving)
	s.did("awake true")
	s.tick()
	s.hosting.state.Viewers = 0
	s.tick()
	s.tick()
	s.did("awake false")
}

func TestQuittingAsksWhileHosting(t *testing.T) {
	s := newStand(t, "en", serving)
	s.u.quit()
	s.sees("Quit Tuber?", "Your site is served by this program")
	s.tap("Go on serving")
}

// The page is laid out anew when a sentence comes or goes.
func TestTheHostPageMovesWithItsSentence(t *testing.T) {
	s := newStand(t, "en", serving)
	p := openHost(s)
	v := *s.u.seen
	for _, c := range []struct {
		viewers int
		moved   bool
	}{{3, false}, {0, true}, {0, false}, {3, true}} {
		v.host.Viewers = c.viewers
		if got := p.live.show(&v); got != c.moved {
			t.Errorf("with %d viewers: moved is %v, want %v", c.viewers, got, c.moved)
		}
	}
}

// What is known of the router is shown whatever else is wrong.
func TestHowPeersReachAHost(t *testing.T) {
	s := newStand(t, "en", serving)
	p := openHost(s)
	h := &s.hosting.state
	for name, c := range map[string]struct {
		mapping tuber.ReachStatus
		site    string
		want    []string
	}{
		"open":           {tuber.ReachStatus{Reach: tuber.ReachDialable, Port: 8443, Mapping: "NAT-PMP"}, "https://tv.example/", []string{"Everybody can reach", "Port: UDP 8443 · Router: Lets others in, asked by NAT-PMP."}},
		"failed":         {tuber.ReachStatus{Port: 8443, Trouble: "the router has no outer address yet"}, "https://tv.example/", []string{"not known yet.", "Router: Does not let others in: the router has no outer address yet"}},
		"off":            {tuber.ReachStatus{Port: 8443, Mapping: "off"}, "https://tv.example/", []string{"not known yet.", "Router: Not asked"}},
		"mapped at home": {tuber.ReachStatus{Reach: tuber.ReachDialable, Mapping: "UPnP"}, "http://192.168.1.20:8080/", []string{"work only for computers in it", "asked by UPnP"}},
		"home":           {tuber.ReachStatus{}, "http://192.168.1.20:8080/", []string{"work only for computers in it", "Router: not known yet"}},
	} {
		h.Mapping, h.Site = c.mapping, c.site
		for _, wrong := range []func(){
			func() { h.Enabled, h.Planner, h.Viewers = true, true, 3 },
			func() { h.Viewers = 0 },
			func() { h.Planner = false },
			func() { h.Enabled = false },
		} {
			wrong()
			s.tick()
			for _, want := range c.want {
				if shown := p.live.reach.Text + "\n" + p.live.router.Text; !strings.Contains(shown, want) || !p.live.reach.Visible() || !p.live.router.Visible() {
					t.Errorf("%s: %q is not shown, but %q", name, want, shown)
				}
			}
		}
	}
	s.sees("is not checked")
}

func TestShortage(t *testing.T) {
	h := tuber.HostState{}
	if got := shortageText(&h); got != "" {
		t.Errorf("no shortage is %q", got)
	}
	h.Short, h.Missing = 12e6, "x"
	if got := shortageText(&h); !strings.Contains(got, "Need 12.0 Mbit/s more") {
		t.Errorf("a shortage is %q", got)
	}
}

func TestHostFigures(t *testing.T) {
	nan := 0.0
	nan /= nan
	for _, c := range []struct{ got, want string }{
		{percentText(0.934), "93 %"}, {percentText(7), "100 %"}, {percentText(-1), "not known yet"}, {percentText(nan), "not known yet"},
		{copiesText(1e6, 0), "no stream now"}, {copiesText(1_620_000, 1_500_000), "1.08 ×"},
		{inviteText(&tuber.InviteRecord{Uses: 1, Expires: noon.Add(time.Hour)}, &tuber.HostState{}, noon), "1 use left, until 13:00"},
		{inviteText(&tuber.InviteRecord{Uses: 1, Revoked: true}, &tuber.HostState{}, noon), "Revoked"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestTheQRCodeHoldsTheInvite looks at the picture: a quiet edge of four
// modules, and the finder's dark corner inside it.
func TestTheQRCodeHoldsTheInvite(t *testing.T) {
	link := testInvite("tv.example", 9).URL()
	img := newQR(link, 200).(*canvas.Image).Image.(*image.Gray)
	side := img.Bounds().Dx()
	if side < 29 || img.Bounds().Dy() != side {
		t.Fatalf("a code of %v", img.Bounds())
	}
	for i := range side {
		for edge := range 4 {
			if img.GrayAt(i, edge).Y != 255 || img.GrayAt(edge, i).Y != 255 || img.GrayAt(i, side-1-edge).Y != 255 || img.GrayAt(side-1-edge, i).Y != 255 {
				t.Fatal("the edge is not quiet")
			}
		}
	}
	for i := range 7 {
		if img.GrayAt(4+i, 4).Y != 0 || img.GrayAt(4, 4+i).Y != 0 || img.GrayAt(side-5-i, 4).Y != 0 || img.GrayAt(4, side-5-i).Y != 0 {
			t.Fatal("a finder is missing")
		}
	}
	if newQR(strings.Repeat("x", 1<<13), 200) != nil {
		t.Error("a code of more than fits")
	}
}
