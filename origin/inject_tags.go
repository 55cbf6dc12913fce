package origin

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// A page with our script must not be taken for the page without it, so its
// entity tag gets one of these endings, which says what the site's own tag was.
// It is weak: bytes differ with the nonce and with the compression.
const (
	endStrong = "-tuber"  // the site's tag was strong
	endWeak   = "-tuberw" // it was weak
	endDate   = "-tuberd" // there was none, but a date

	endPacked     = "-tuberz" // packed, not changed: the site's tag was strong
	endPackedWeak = "-tuberzw"
)

// tagResponse names what we may have changed.
func tagResponse(h http.Header) {
	tag, date := h.Get("Etag"), h.Get("Last-Modified")
	switch opaque, weak, ok := parseTag(tag); {
	case ok && weak:
		h.Set("Etag", `W/"`+opaque+endWeak+`"`)
	case ok:
		h.Set("Etag", `W/"`+opaque+endStrong+`"`)
	case tag == "" && date != "":
		h.Set("Etag", dateTag(date))
	}
}

func dateTag(date string) string {
	sum := sha256.Sum256([]byte(date))
	return `W/"` + hex.EncodeToString(sum[:8]) + endDate + `"`
}

// parseTag splits an entity tag (RFC 9110 section 8.8.3).
func parseTag(tag string) (opaque string, weak, ok bool) {
	tag, weak = strings.CutPrefix(strings.TrimSpace(tag), "W/")
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' || strings.Contains(tag[1:len(tag)-1], `"`) {
		return "", false, false
	}
	return tag[1 : len(tag)-1], weak, true
}

// siteTag turns one of our tags back into the site's. ours is false for others.
func siteTag(tag string) (site string, ours bool) {
	opaque, _, ok := parseTag(tag)
	if !ok {
		return "", false
	}
	if s, is := strings.CutSuffix(opaque, endWeak); is {
		return `W/"` + s + `"`, true
	}
	if s, is := strings.CutSuffix(opaque, endStrong); is {
		return `"` + s + `"`, true
	}
	return "", strings.HasSuffix(opaque, endDate)
}

// packedTag names a body that we packed.
func packedTag(opaque string, weak bool) string {
	if weak {
		return `W/"` + opaque + endPackedWeak + `"`
	}
	return `W/"` + opaque + endPacked + `"`
}

// unpackedTag is the site's tag of a body that we packed.
func unpackedTag(tag string) (site string, packed bool) {
	opaque, _, _ := parseTag(tag)
	if s, is := strings.CutSuffix(opaque, endPackedWeak); is {
		return `W/"` + s + `"`, true
	}
	if s, is := strings.CutSuffix(opaque, endPacked); is {
		return `"` + s + `"`, true
	}
	return "", false
}

// splitTags splits a list of entity tags; a comma inside quotes does not split.
func splitTags(list string) []string {
	var tags []string
	start, quoted := 0, false
	for i := range len(list) {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			tags = append(tags, strings.TrimSpace(list[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(list[start:]); last != "" {
		tags = append(tags, last)
	}
	return tags
}

// ownTags leaves only our own tags in a document's conditions, as the site
// knows them: what a browser kept from before Tuber is fetched anew. It returns
// whether an answer 304 is about a page of ours.
func (i *injector) ownTags(p *passage, h http.Header) bool {
	if p.kind != kindWorker && !pageLike(p.in.URL.Path) {
		i.plainTags(h) // an image in a tab of its own, a download
		return false
	}
	var site []string
	date := false
	for _, tag := range splitTags(strings.Join(h.Values("If-None-Match"), ",")) {
		s, ours := siteTag(tag)
		if ours && s == "" {
			date = date || tag == dateTag(h.Get("If-Modified-Since"))
		} else if ours {
			site = append(site, s)
		}
	}
	h.Del("If-None-Match")
	if len(site) > 0 {
		h.Set("If-None-Match", strings.Join(site, ", "))
	} else if !date {
		h.Del("If-Modified-Since")
	}
	return true
}

// plainTags is for requests whose answer is passed untouched, or packed: a page
// with our script, kept under our tag, does not stand for it.
func (i *injector) plainTags(h http.Header) {
	for _, name := range []string{"If-None-Match", "If-Match", "If-Range"} {
		if !strings.Contains(strings.Join(h.Values(name), ","), endStrong) {
			continue
		}
		var keep []string
		for _, tag := range splitTags(strings.Join(h.Values(name), ",")) {
			site, ours := siteTag(tag)
			unpacked, packed := unpackedTag(tag)
			switch {
			case packed && name == "If-Range": // parts of the packed bytes are not to be had
			case packed:
				keep = append(keep, unpacked)
			case !ours:
				keep = append(keep, tag)
			case name == "If-Match" && site != "":
				keep = append(keep, site) // it names the state of the resource, not our copy
			}
		}
		h.Del(name)
		switch {
		case len(keep) > 0:
			h.Set(name, strings.Join(keep, ", "))
		case name == "If-None-Match":
			h.Del("If-Modified-Since")
		case name == "If-Range":
			h.Del("Range")
		case name == "If-Match":
			h.Set(name, `"none"`) // a condition stays a condition
		}
	}
}
