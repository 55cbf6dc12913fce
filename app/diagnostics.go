package app

import (
	"fmt"
	"net/netip"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// diagnostics is what helps to find a fault, in English for whoever mends it,
// without addresses, names and keys.
func diagnostics(v *view, version string) string {
	var b strings.Builder
	st, set := &v.status, &v.settings
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Tuber %s, %s/%s, %s", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	line("at %s, tray %q, hosting %v", v.now.Format(time.RFC3339), v.tray, v.hosting)
	line("reason %q ask %v second %v error %q", st.Reason, st.Ask, st.Second, st.Error)
	line("errors: begin %v, status %v, settings %v, host %v", v.beginErr, v.statusErr, v.setErr, v.hostErr)
	line("cap %v upload %v download %v proven %v links %d", st.Cap, st.Upload, st.Download, st.Proven, st.Links)
	line("sent %d received %d today %d month %d stored %d", st.Sent, st.Received, st.Today, st.Month, st.Stored)
	line("facts: battery %q metered %q vpn %q", st.Facts.Battery, st.Facts.Metered, st.Facts.VPN)
	line("reach %q port %d mapping %q trouble %q", st.Reach.Reach, st.Reach.Port, st.Reach.Mapping, st.Reach.Trouble)
	line("limits: upload %v download %v disk %d allowance %d from day %d", set.Limits.Upload, set.Limits.Download, set.Limits.Disk, set.Limits.Allowance, set.ResetDay)
	line("schedule %v rules %+v shares %d lan %v own folder %v port %d mapping off %v", set.Schedule.On, set.Rules, len(set.Shares), set.LANExempt, set.Folder != "", set.Port, set.NoMapping)
	for i, sw := range st.Swarms {
		line("swarm %d: connected %v pending %v paused %v peers %d upload %v sent %d stored %d error %q",
			i+1, sw.Connected, sw.Pending, sw.Paused, sw.Peers, sw.Upload, sw.Sent, sw.Stored, sw.Error)
	}
	if v.hosting {
		h := &v.host
		line("host: viewers %d boosters %d of %d from peers %.2f upload %v bitrate %v short %v planner %v enabled %v",
			h.Viewers, h.Boosters, len(h.BoosterList), h.FromPeers, h.Upload, h.Bitrate, h.Short, h.Planner, h.Enabled)
		line("host reach %q port %d mapping %q trouble %q", h.Mapping.Reach, h.Mapping.Port, h.Mapping.Mapping, h.Mapping.Trouble)
	}
	for _, e := range v.events {
		line("%s %s %s", e.At.Format(time.RFC3339), e.Kind, e.Text)
	}
	text := b.String()
	for _, sw := range st.Swarms {
		for _, name := range []string{sw.Host, sw.Name} {
			text = without(text, name)
		}
	}
	for _, name := range []string{v.own.Hosting.Name, v.own.Hosting.Public, v.own.Hosting.Folder, v.own.Hosting.Upstream, v.own.Hosting.Proxy, set.Folder} {
		text = without(text, name)
	}
	return scrub(text)
}

// without takes a name out of a text. Shorter ones would take words apart.
func without(text, name string) string {
	if len(name) < 3 {
		return text
	}
	return strings.ReplaceAll(text, name, "[name]")
}

var (
	linkIn    = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://\S+`)
	addressIn = regexp.MustCompile(`\[?[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]+(%\w+)?\]?(:\d+)?`)
	domainIn  = regexp.MustCompile(`\b([a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}(:\d+)?\b`)
)

// scrub takes links, addresses and host names out of a text.
func scrub(text string) string {
	text = linkIn.ReplaceAllString(text, "[link]")
	text = addressIn.ReplaceAllStringFunc(text, func(found string) string {
		bare := strings.TrimRight(found, ":.")
		switch {
		case isAddress(found):
			return "[address]"
		case isAddress(bare):
			return "[address]" + found[len(bare):]
		}
		return found
	})
	return domainIn.ReplaceAllString(text, "[host]")
}

// isAddress tells an IP address, with or without a port, from a time or a number.
func isAddress(text string) bool {
	if _, err := netip.ParseAddrPort(text); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return err == nil
}
