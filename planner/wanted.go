package planner

import (
	"slices"

	"github.com/tubercdn/tuber"
)

// Wanted are the contents that some viewer's player asks for now, in the order
// in which they were announced. Boosters want nothing of their own.
func (p *Planner) Wanted() []tuber.ContentID {
	var wanted []tuber.ContentID
	for _, c := range p.root.all() {
		wanted = append(wanted, c.wanted()...)
	}
	var out []tuber.ContentID
	for _, content := range p.root.announced() {
		if slices.Contains(wanted, content.ID) {
			out = append(out, content.ID)
		}
	}
	return out
}

func (c *cell) wanted() []tuber.ContentID {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []tuber.ContentID
	for _, content := range c.contents {
		for _, m := range c.members {
			if m.role == tuber.RoleViewer && slices.Contains(m.wants, content.ID) {
				out = append(out, content.ID)
				break
			}
		}
	}
	return out
}
