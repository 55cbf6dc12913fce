// Package icons is Tuber's face: the program's icon and the tray's by state. The
// drawings are SVG under source; go generate renders them into dist, which is
// committed and partly embedded here. Whoever packages takes the rest from dist.
//
// Invariants:
//   - what is in dist is what source renders to (a test in icons/render);
//   - tray icons differ by shape, not by colour alone.
package icons

//go:generate go run ./render

import "embed"

// App is the program's icon, PNG of 256 pixels. Callers do not change it.
//
//go:embed dist/tuber-256.png
var App []byte

// State is what a tray icon says.
type State string

// Each state's file in source/tray has its name.
const (
	Active     State = "active"      // sending
	Idle       State = "idle"        // ready, nothing to send
	Limited    State = "limited"     // under the schedule's second cap
	Paused     State = "paused"      // by the owner
	PausedRule State = "paused-rule" // by a rule: allowance, schedule, metered, battery, VPN
	Offline    State = "offline"     // no host reached
	Error      State = "error"
)

// States are all there are.
func States() []State {
	return []State{Active, Idle, Limited, Paused, PausedRule, Offline, Error}
}

//go:embed dist/tray/*.png
var rendered embed.FS

//go:embed source/tray/*.svg
var drawn embed.FS

// Tray is the state's icon, PNG of 64 pixels: a light figure with a dark rim,
// to be read on light and on dark panels.
func Tray(s State) []byte { return read(rendered, "dist/tray/"+string(s)+".png") }

// TraySVG is the state's figure in black alone, for systems that colour tray
// icons themselves (macOS).
func TraySVG(s State) []byte { return read(drawn, "source/tray/"+string(s)+".svg") }

func read(fs embed.FS, name string) []byte {
	b, err := fs.ReadFile(name)
	if err != nil {
		panic("icons: internal error: " + err.Error())
	}
	return b
}
