package machine

import (
	"encoding/xml"
	"slices"
	"testing"
)

// Launchd starts exactly the program and the arguments, whatever is in them.
func TestAgentText(t *testing.T) {
	l := Login{ID: "io.github.tubercdn.tuber", Name: "Tuber", Args: []string{
		"/Applications/Tuber & Ann's <one>.app/Contents/MacOS/tuber-app", "--hidden", `"quoted" $HOME`,
	}}
	text, err := l.agentText()
	if err != nil {
		t.Fatal(err)
	}
	var plist struct {
		Dict struct {
			Keys  []string  `xml:"key"`
			Label string    `xml:"string"`
			Args  []string  `xml:"array>string"`
			Load  *struct{} `xml:"true"`
		} `xml:"dict"`
	}
	if err := xml.Unmarshal([]byte(text), &plist); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	d := plist.Dict
	if want := []string{"Label", "ProgramArguments", "RunAtLoad"}; !slices.Equal(d.Keys, want) || d.Load == nil {
		t.Errorf("got the keys %q, want %q, the last of them true", d.Keys, want)
	}
	if d.Label != l.ID || !slices.Equal(d.Args, l.Args) {
		t.Errorf("got %q started by %q, want %q by %q", d.Label, d.Args, l.ID, l.Args)
	}
}
