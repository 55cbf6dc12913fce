package machine

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

// An entry of the user's own, by a name that no program has.
func TestLoginOfWindows(t *testing.T) {
	l := Login{ID: "io.github.tubercdn.test", Name: "Tuber's test", Args: []string{`C:\a folder\tuber.exe`, "--hidden", "two words"}}
	t.Cleanup(func() {
		if err := l.Set(false); err != nil {
			t.Error(err)
		}
	})
	is := func(when string, want bool) {
		t.Helper()
		if got, err := l.On(); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", when, got, err, want)
		}
	}
	is("at first", false)
	if err := l.Set(true); err != nil {
		t.Fatal(err)
	}
	is("switched on", true)
	text, err := value(runKey, l.Name, func(k registry.Key) (string, error) {
		s, _, err := k.GetStringValue(l.Name)
		return s, err
	})
	if want := `"C:\a folder\tuber.exe" --hidden "two words"`; err != nil || text != want {
		t.Errorf("got %q, %v, want %q", text, err, want)
	}
	k, _, err := registry.CreateKey(registry.CURRENT_USER, approvedKey, registry.SET_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.SetBinaryValue(l.Name, []byte{3, 0, 0, 0}); err != nil { // as the Task Manager does
		t.Fatal(err)
	}
	is("switched off in the Task Manager", false)
	for _, on := range []bool{true, false} {
		if err := l.Set(on); err != nil {
			t.Fatal(err)
		}
		is("set again", on)
	}
}
