// Package demo runs the whole of Tuber on one machine: a sample site that knows
// nothing of it, a host before that site, a booster in a process of its own
// that joined by a real invite, and a status line that a person understands.
package demo
