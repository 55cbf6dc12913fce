package app

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tubercdn/tuber"
)

// sourceProblem says what is wrong with the site's address or folder.
func sourceProblem(s *tuber.HostSetup) string {
	if s.Upstream == "" && s.Folder == "" {
		return tr("Say what to serve: the address of a site that runs here, or a folder.")
	}
	if s.Folder != "" {
		return badFolder(s.Folder)
	}
	u, err := url.Parse(s.Upstream)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return tr("Write the address of a site, such as http://127.0.0.1:8000.")
	}
	return ""
}

// siteAddress completes an address that somebody wrote without its scheme.
func siteAddress(text string) string {
	text = strings.TrimSpace(text)
	if text != "" && !strings.Contains(text, "://") {
		text = "http://" + text
	}
	return strings.TrimSuffix(text, "/")
}

// publicProblem says what is wrong with the name that the world knows.
func publicProblem(s *tuber.HostSetup) string {
	text := s.Public
	switch {
	case s.OuterHTTPS && (text == "" || privateHost(text)):
		return tr("Write the name by which visitors reach the proxy or tunnel, such as tv.example.")
	case text == "":
		return ""
	}
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil {
		host = h
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			host = ""
		}
	}
	if host == "" || len(host) > 253 || strings.ContainsAny(host, "/ @?#\"'<>\\") || host != plainUpTo(host, 254) {
		return tr("Write a name or address alone, such as tv.example or 203.0.113.9:8443.")
	}
	return ""
}

// proxyProblem says what is wrong with a proxy's address.
func proxyProblem(text string) string {
	_, err := netip.ParseAddr(text)
	if _, other := netip.ParsePrefix(text); text != "" && err != nil && other != nil {
		return tr("Write an address in numbers, such as 192.168.1.2.")
	}
	return ""
}

// maxName is how many characters a name has, at most.
const maxName = 61 // plainUpTo cuts the last

// nameProblem says what is wrong with the name that friends see.
func nameProblem(name string) string {
	switch {
	case name != plainUpTo(name, maxName):
		return tr("Write a name of at most 60 ordinary characters.")
	case len(name) > tuber.MaxName:
		return tr("Write a shorter name: letters with accents count twice, other scripts and pictures three or four times.")
	}
	return ""
}

// parseUses reads how often an invite may be used.
func parseUses(text string) (int, string) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > 1000 {
		return 0, tr("Write how many may use it, from 1 to 1000.")
	}
	return n, ""
}

// lives are how long an invite may be good for.
func lives() (names []string, of map[string]time.Duration) {
	of = map[string]time.Duration{}
	for _, l := range []struct {
		name string
		life time.Duration
	}{
		{tr("1 hour"), time.Hour}, {tr("1 day"), 24 * time.Hour},
		{tr("7 days"), 7 * 24 * time.Hour}, {tr("30 days"), 30 * 24 * time.Hour},
	} {
		names, of[l.name] = append(names, l.name), l.life
	}
	return names, of
}

// shortageText is the sentence about means that do not suffice, empty if they do.
func shortageText(h *tuber.HostState) string {
	if h.Short > 0 {
		return tr("Need {{.Rate}} more from boosters. Invite friends with a good line; until then the rest comes from your own.", "Rate", rateText(h.Short))
	}
	return messageText(h.Missing)
}

// hostReachText is how links get to the host, in one sentence. Whatever the
// router does, only this network gets as far as a private address.
func hostReachText(h *tuber.HostState) string {
	if site := ownSite(h.Site); site != nil && privateHost(site.Host) {
		return tr("Your invites name an address of your own network, so they work only for computers in it. To invite others, stop and write an address from outside.")
	}
	return reachShort(h.Mapping.Reach)
}

// hostRouterText is the host's port and whether the router lets others in there.
func hostRouterText(h *tuber.HostState) string {
	router := tr("Router: {{.Said}}", "Said", routerText(&h.Mapping))
	if h.Mapping.Port == 0 {
		return router
	}
	return tr("Port: UDP {{.Number}}", "Number", strconv.Itoa(int(h.Mapping.Port))) + " · " + router
}

// percentText is a part of one in percent.
func percentText(part float64) string {
	if !(part >= 0) {
		return tr("not known yet")
	}
	return fmt.Sprintf("%.0f %%", min(part, 1)*100)
}

// copiesText is the origin's upload as a multiple of the streams' bitrate.
func copiesText(upload, bitrate tuber.BitsPerSecond) string {
	if bitrate <= 0 {
		return tr("no stream now")
	}
	return local(fmt.Sprintf("%.2f", float64(upload)/float64(bitrate))) + " ×"
}

// inviteText is one invite's state.
func inviteText(r *tuber.InviteRecord, h *tuber.HostState, now time.Time) string {
	var names []string
	for _, id := range r.UsedBy {
		name := tr("somebody who left")
		for _, b := range h.BoosterList {
			if b.ID == id {
				name = plainUpTo(b.Name, 40)
			}
		}
		names = append(names, name)
	}
	var parts []string
	switch {
	case r.Revoked:
		parts = append(parts, tr("Revoked"))
	case r.Uses <= 0:
		parts = append(parts, tr("Used up"))
	case !r.Expires.After(now):
		parts = append(parts, tr("Expired"))
	default:
		parts = append(parts, trn("{{.N}} uses left, until {{.Time}}", r.Uses, "Time", clockText(r.Expires, now)))
	}
	if len(names) > 0 {
		parts = append(parts, tr("used by {{.Names}}", "Names", strings.Join(names[:min(len(names), 5)], ", ")))
	}
	return strings.Join(parts, " · ")
}

// open tells whether an invite can still be used.
func openInvite(r *tuber.InviteRecord, now time.Time) bool {
	return !r.Revoked && r.Uses > 0 && r.Expires.After(now)
}

// boosterText is what one booster did.
func boosterText(b *tuber.HostBooster, now time.Time) string {
	state := tr("away")
	if b.Linked {
		state = tr("linked")
	}
	return tr("{{.State}} · carried {{.Amount}} · sends up to {{.Rate}} · since {{.Day}}",
		"State", state, "Amount", bytesText(b.Delivered), "Rate", rateText(b.Upload), "Day", dayText(b.Enrolled, now))
}
