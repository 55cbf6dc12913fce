package main

// mutant is a story with what it is about switched off.
type mutant struct {
	story     string
	mechanism string
	file      string
	old, new  string // old stands in the file once
}

var mutants = []mutant{
	{
		"a flash crowd", "forwarding as chunks come", "peer/receive.go",
		"\tif fresh {\n\t\tl.s.pushChunk(l, v)\n\t}", "",
	},
	{
		"half leave", "other parents for the children of who leaves", "planner/tree.go",
		"\tfor k := range t.kids(i) {\n\t\tg.castOff(f, p, k)\n\t}\n\tif t.at(i).depth > 0 {", "\tif t.at(i).depth > 0 {",
	},
	{
		"the top booster dies", "telling of links that failed", "planner/hear.go",
		"\tfor _, pair := range [][2]tuber.PeerID{{a, b}, {b, a}} {\n\t\tm := c.members[pair[0]]", "\tfor _, pair := range [][2]tuber.PeerID{} {\n\t\tm := c.members[pair[0]]",
	},
	{
		"the top booster hangs", "telling of links that failed", "planner/hear.go",
		"\tfor _, pair := range [][2]tuber.PeerID{{a, b}, {b, a}} {\n\t\tm := c.members[pair[0]]", "\tfor _, pair := range [][2]tuber.PeerID{} {\n\t\tm := c.members[pair[0]]",
	},
	{
		"the planner restarts", "adoption of the plan that runs", "planner/adopt.go",
		"\tif j.Plan == nil ||", "\tif true || j.Plan == nil ||",
	},
	{
		"a third die at once", "telling of links that failed", "planner/hear.go",
		"\tfor _, pair := range [][2]tuber.PeerID{{a, b}, {b, a}} {\n\t\tm := c.members[pair[0]]", "\tfor _, pair := range [][2]tuber.PeerID{} {\n\t\tm := c.members[pair[0]]",
	},
	{
		"a booster boasts", "uplinks learnt from receivers", "planner/ledger.go",
		"{ return min(l.learnt, limit) }", "{ return limit }",
	},
	{
		"a viewer is slow", "uplinks learnt from receivers", "planner/ledger.go",
		"{ return min(l.learnt, limit) }", "{ return limit }",
	},
	{
		"tabs are hidden", "means that change", "planner/hear.go",
		"\t\t\tm.means = msg.Means\n", "",
	},
	{
		"the planner is away", "going on by the last plan", "peer/session.go",
		"\ts.conn = c\n}", "\tif s.conn = c; c == nil {\n\t\ts.plan = nil\n\t}\n}",
	},
	{
		"one in ten lies", "parting a liar from whom it lied to", "planner/accuse.go",
		"\tc.splitLocked(a, b, now)\n", "",
	},
	{
		"three in ten lie", "parting a liar from whom it lied to", "planner/accuse.go",
		"\tc.splitLocked(a, b, now)\n", "",
	},
	{
		"half of them lie", "sources for those who accuse many", "planner/carry.go",
		"p.Upload, p.Means.Upload, p.Means.Relay = 0, 0, false", "p.Means.Reach = tuber.ReachNone",
	},
	{
		"nine in ten lie", "verification", "peer/receive.go",
		"\tif err != nil {\n\t\treturn &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}\n\t}", "\tif err != nil {\n\t\treturn nil\n\t}",
	},
}
