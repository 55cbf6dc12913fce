package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tubercdn/tuber"
)

func TestStartsHidden(t *testing.T) {
	hides := tuber.AppSettings{StartHidden: true}
	for _, tc := range []struct {
		o    options
		own  tuber.AppSettings
		want bool
	}{
		{options{}, tuber.AppSettings{}, false},
		{options{hidden: true}, tuber.AppSettings{}, true},
		{options{}, hides, true},
		{options{hidden: true}, hides, true},
		{options{invite: "x"}, hides, false},
		{options{hidden: true, invite: "x"}, tuber.AppSettings{}, false},
	} {
		if got := startsHidden(tc.o, tc.own); got != tc.want {
			t.Errorf("%+v with %+v: hidden is %v", tc.o, tc.own, got)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want options // but state, which has a default
		err  string
	}{
		{nil, options{}, ""},
		{[]string{"--hidden"}, options{hidden: true}, ""},
		{[]string{"-hidden", "--no-upnp", "tuber://x"}, options{hidden: true, noUPnP: true, invite: "tuber://x"}, ""},
		{[]string{"tuber://$(reboot)\x1b[2J\n%n"}, options{invite: "tuber://$(reboot)\x1b[2J\n%n"}, ""},
		{[]string{"tuber://x", "--state", "/evil"}, options{}, "more than one argument"},
		{[]string{"tuber://x", "tuber://y"}, options{}, "more than one argument"},
		{[]string{"--quit"}, options{quit: true}, ""},
		{[]string{"--quit", "tuber://x"}, options{}, "no invite"},
		{[]string{"--"}, options{}, ""},
		{[]string{"--nope\x1b[2J"}, options{}, `\x1b[2J"; tuber-app --help`},
		{[]string{"--state"}, options{}, "state"},
		{[]string{"--" + strings.Repeat("x", 1<<20)}, options{}, "--help"},
	} {
		got, err := parse(tc.args, nil)
		if (err != nil) != (tc.err != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%.60q: got %v, want %q", tc.args, err, tc.err)
		}
		if err != nil {
			if len(err.Error()) > 400 {
				t.Errorf("%.60q: an error of %d bytes", tc.args, len(err.Error()))
			}
			continue
		}
		if !strings.HasSuffix(got.state, "tuber") {
			t.Errorf("state is %q", got.state)
		}
		if got.state = ""; got != tc.want {
			t.Errorf("%.60q: got %+v, want %+v", tc.args, got, tc.want)
		}
	}
}

func TestRun(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	for _, tc := range []struct {
		args     []string
		code     int
		out, err string
	}{
		{[]string{"--help"}, 0, "Usage: tuber-app", ""},
		{[]string{"--version"}, 0, "tuber-app ", ""},
		{[]string{"--verson"}, exitUsage, "", "--help"},
		{[]string{"--quit", "--state", t.TempDir()}, 0, "", ""},
		{[]string{"--hidden", "--state", t.TempDir()}, exitFailed, "", "tuber boost"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), tc.args, &out, &errs); code != tc.code {
			t.Errorf("%q: exit code %d, want %d", tc.args, code, tc.code)
		}
		if !strings.Contains(out.String(), tc.out) || tc.out == "" && out.Len() > 0 {
			t.Errorf("%q: printed %q, want %q", tc.args, &out, tc.out)
		}
		if !strings.Contains(errs.String(), tc.err) || tc.err == "" && errs.Len() > 0 {
			t.Errorf("%q: complained %q, want %q", tc.args, &errs, tc.err)
		}
	}
}
