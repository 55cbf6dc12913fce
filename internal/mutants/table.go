package main

// mutant is a story with what it is about switched off. "a viewer is slow" has none:
// whatever is switched off, others make up for it.
type mutant struct {
	story   string
	without mechanism
}

// mechanism is switched off by a change of one file.
type mechanism struct {
	name     string
	file     string
	old, new string // old stands in the file once
}

var (
	tellingWhoLied = mechanism{
		"telling of who lied", "peer/receive.go",
		"\t\treturn &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}\n", "\t\treturn nil\n",
	}
	askingStandbys = mechanism{
		"asking standbys while a source is gone", "peer/pull.go",
		"\t\tw.l.send(w.f)\n", "",
	}
)

var mutants = []mutant{
	{"a flash crowd", mechanism{
		"viewers that give to each other", "planner/grove.go",
		"u = min(u, uploadPerStream*receives)", "u = 0 * receives",
	}},
	{"half leave", mechanism{
		"other parents for the children of who leaves", "planner/tree.go",
		"\tfor k := range t.kids(i) {\n\t\tg.castOff(f, p, k)\n\t}\n\tif t.at(i).depth > 0 {", "\tif t.at(i).depth > 0 {",
	}},
	{"the top booster dies", askingStandbys},
	{"the top booster hangs", mechanism{
		"asking for a sign of life", "peer/pull.go",
		"gone, probe := l.silent(now)", "gone, probe := false, false",
	}},
	{"the planner restarts", mechanism{
		"adoption of the plan that runs", "planner/adopt.go",
		"\tif j.Plan == nil ||", "\tif true || j.Plan == nil ||",
	}},
	{"a third die at once", askingStandbys},
	{"a booster boasts", mechanism{
		"uplinks learnt from receivers", "planner/ledger.go",
		"{ return min(l.learnt, limit) }", "{ return limit }",
	}},
	{"tabs are hidden", mechanism{
		"means that change", "planner/hear.go",
		"\t\t\tm.means = msg.Means\n", "",
	}},
	{"the planner is away", mechanism{
		"going on by the last plan", "peer/session.go",
		"\ts.conn = c\n}", "\tif s.conn = c; c == nil {\n\t\ts.plan = nil\n\t}\n}",
	}},
	{"one in ten lies", tellingWhoLied},
	{"three in ten lie", tellingWhoLied},
	{"half of them lie", tellingWhoLied},
	{"nine in ten lie", tellingWhoLied},
}
