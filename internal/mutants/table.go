package main

// mutant is a story with what it is about switched off. "a viewer is slow" has none:
// whatever is switched off, others make up for it.
type mutant struct {
	story     string
	mechanism string
	file      string
	old, new  string // old stands in the file once
}

var mutants = []mutant{
	{
		"a flash crowd", "viewers that give to each other", "planner/grove.go",
		"u = min(u, uploadPerStream*receives)", "u = 0 * receives",
	},
	{
		"half leave", "other parents for the children of who leaves", "planner/tree.go",
		"\tfor k := range t.kids(i) {\n\t\tg.castOff(f, p, k)\n\t}\n\tif t.at(i).depth > 0 {", "\tif t.at(i).depth > 0 {",
	},
	{
		"the top booster dies", "asking standbys while a source is gone", "peer/pull.go",
		"\t\tw.l.send(w.f)\n", "",
	},
	{
		"the top booster hangs", "asking for a sign of life", "peer/pull.go",
		"gone, probe := l.silent(now)", "gone, probe := false, false",
	},
	{
		"the planner restarts", "adoption of the plan that runs", "planner/adopt.go",
		"\tif j.Plan == nil ||", "\tif true || j.Plan == nil ||",
	},
	{
		"a third die at once", "asking standbys while a source is gone", "peer/pull.go",
		"\t\tw.l.send(w.f)\n", "",
	},
	{
		"a booster boasts", "uplinks learnt from receivers", "planner/ledger.go",
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
		"one in ten lies", "telling of who lied", "peer/receive.go",
		"\t\treturn &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}\n", "\t\treturn nil\n",
	},
	{
		"three in ten lie", "telling of who lied", "peer/receive.go",
		"\t\treturn &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}\n", "\t\treturn nil\n",
	},
	{
		"half of them lie", "telling of who lied", "peer/receive.go",
		"\t\treturn &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}\n", "\t\treturn nil\n",
	},
	{
		"nine in ten lie", "telling of who lied", "peer/receive.go",
		"\t\treturn &liarError{err.Error(), &tuber.Blame{Content: c.Content, Number: c.Number}}\n", "\t\treturn nil\n",
	},
}
