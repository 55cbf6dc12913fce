package app

import (
	"regexp"
	"strings"
)

// said are the sentences of the engine, the host and the planner that the
// window shows, with gaps for what differs in them. What fills a gap named Why
// or WhyNot is such a sentence itself, or the system's own word.
var said = []string{
	// the planner of a host
	"this invite is unknown here; ask the host for a new one",
	"this invite was used already; ask the host for a new one",
	"this invite has expired; ask the host for a new one",
	"this invite was revoked by the host",
	"refused by the planner ({{.Code}}): {{.Why}}",
	"the host has switched peers off; the site works without them",
	"this peer sent a chunk that was not what the origin signed",
	"this booster is not known to the host (any more): ask the host for a new invite",
	"this peer has joined again from elsewhere",
	"the host cannot read its book just now: try again later",
	"the host cannot write its book just now: try again later",
	"you speak version {{.Ours}}, this host version {{.Theirs}} and newer: update your program or reload the page",
	"this is not the site's planner",
	"this is not the site's planner: {{.Detail}}",
	"the host speaks version {{.Theirs}} and newer, this program version {{.Ours}}: update this program",
	"the host speaks version {{.Theirs}}, this program version {{.Ours}} and newer: the host must update",
	// invites
	"made by version {{.Theirs}}, this program reads up to version {{.Ours}}; update it",
	// the booster
	"{{.Host}}: this swarm was joined already; there is nothing to do",
	"{{.Host}} does not answer: it is tried again until it does",
	"{{.Host}} does not answer: it is tried again until it does ({{.Why}})",
	"join: the swarm was just left; join again",
	"this swarm was not joined",
	"the settings were damaged: they were set aside, and the defaults hold; look through them and save them again",
	"settings: the folder {{.Folder}} is not a whole path; write it from its beginning",
	"settings: nothing can be kept in the folder {{.Folder}} ({{.Why}}); make it writable or choose another one",
	"nothing can be kept in {{.Folder}}: {{.Why}}; make it writable, put its disk back, or choose another folder. Sending goes on from memory",
	"it holds now, but not after a restart: {{.Why}}",
	"pause: that moment is past",
	"open {{.File}}: another program is using it; stop that one first",
	"open {{.File}}: process {{.Number}} is using it; stop that one first",
	"listen at {{.Address}}: {{.Why}}; stop the program that has the port, or choose another with --listen",
	"listen for the home network: {{.Why}}",
	"make state directory: {{.Why}}",
	"make state directory: {{.Why}}; change --state",
	"the booster was not started yet",
	"the booster has ended; quit Tuber and start it again",
	// the book of a booster or a host
	"the file is damaged",
	"the file is damaged: {{.Detail}}",
	"it was written by a newer Tuber; update this one",
	"schema {{.Theirs}}, this program knows {{.Ours}}: {{.Why}}",
	"{{.Why}}\nThe book {{.Book}} holds the keys and invites and is not begun anew by itself. There is no copy of it; to begin with a new one, move it away: invites and boosters must then be made again",
	"{{.Why}}\nThe book {{.Book}} holds the keys and invites and is not begun anew by itself. To restore the copy of {{.Time}}: stop every Tuber, move {{.Old}} away if it is there, and copy {{.Copy}} to {{.New}}",
	// the window's own settings
	"The window's settings cannot be read ({{.Why}}). The usual ones are in force, and changes are not kept.",
	"The window's settings file is damaged ({{.Why}}) and could not be moved aside ({{.WhyNot}}). The usual ones are in force, and changes are not kept.",
	"The window's settings file was damaged ({{.Why}}). It is kept as {{.File}}; the usual settings are in force.",
	"not this program's JSON: {{.Detail}}",
	"keep the window's settings: {{.Why}}",
	"change what starts at login: {{.Why}}",
	// the router
	"no router with UPnP or NAT-PMP answered; switch one of them on in the router, or forward the UDP port by hand",
	"the router that mapped the port stands behind another one; forward the UDP port there too, or ask the provider for a public address",
	"the router refused with UPnP error {{.Number}}",
	"the router refused: {{.Why}}",
	"the router has no outer address yet",
	"map port {{.Port}}: {{.Why}}",
	"renew port mapping: {{.Why}}",
	"the port is mapped to another machine",
	// the host
	"no host was started",
	"a host runs already; stop it first",
	"a host runs on this computer already, outside this window: {{.Why}}",
	"{{.Address}} is no web server; write such as http://127.0.0.1:3000",
	"listen at {{.Address}}: {{.Why}}; choose another port",
	"listen at {{.Address}}: the port is taken by another program; stop it or choose another one",
	"listen at {{.Address}}: the port is taken by another program; stop it or choose another with {{.Flag}}",
	"listen at {{.Address}}: {{.Why}}; change {{.Flag}}",
	"{{.Address}} is no address of a proxy; write such as 192.168.1.2",
	"host: {{.Folder}} is not a folder that can be read; change --files",
	"host: give it either a site (--upstream URL) or a folder (--files DIR)",
	"host: public host {{.Address}}, want a name or an address; change --public-host",
	"{{.Rate}} of upload are missing: one more booster of 10 Mbit/s would do.",
	"{{.Rate}} of upload are missing: {{.Number}} more boosters of 10 Mbit/s would do.",
	// the system, as Go puts it
	"no answer in time",
	"open {{.File}}: {{.Why}}",
	"read {{.File}}: {{.Why}}",
	"mkdir {{.File}}: {{.Why}}",
	"listen tcp {{.Address}}: {{.Why}}",
	"listen udp {{.Address}}: {{.Why}}",
	"bind: permission denied",
	"bind: cannot assign requested address",
	"is a directory",
	"connect: connection refused",
	"connect: network is unreachable",
	"connect: no route to host",
	"bind: address already in use",
	"permission denied",
	"no such file or directory",
	"not a directory",
	"read-only file system",
	"no space left on device",
}

// gapped is a sentence with gaps, to be found again in what was said.
type gapped struct {
	text string
	is   *regexp.Regexp
}

var gappedOnes = func() (all []gapped) {
	gap := regexp.MustCompile(`\\{\\{\\\.(\w+)\\}\\}`)
	for _, text := range said {
		if strings.Contains(text, "{{") {
			is := gap.ReplaceAllString(regexp.QuoteMeta(text), `(?P<$1>.+?)`)
			all = append(all, gapped{text, regexp.MustCompile(`(?s)^` + is + `$`)})
		}
	}
	return all
}()

// maxSaid is how long a text is searched for sentences, in bytes.
const maxSaid = 4 << 10

// messageText is text of an engine or a host: translated as far as it is known,
// and bounded.
func messageText(text string) string {
	if t, ok := translated(text); ok {
		return t
	}
	return plain(text)
}

// translated is text that somebody is known to say, in the language spoken.
func translated(text string) (string, bool) {
	if _, ok := known[text]; ok {
		return tr(text), true
	}
	if len(text) > maxSaid {
		return "", false
	}
	best, least := "", len(text)+1 // the sentence that leaves least to its gaps says most
	var pairs []any
	for _, g := range gappedOnes {
		m := g.is.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		left := 0
		for _, v := range m[1:] {
			left += len(v)
		}
		if left >= least {
			continue
		}
		best, least, pairs = g.text, left, nil
		for i, name := range g.is.SubexpNames()[1:] {
			value := plain(m[i+1])
			if strings.HasPrefix(name, "Why") {
				value = messageText(m[i+1]) // shorter than what it is a part of
			}
			pairs = append(pairs, name, value)
		}
	}
	if best == "" {
		return "", false
	}
	return tr(best, pairs...), true // what fills its gaps is bounded
}
