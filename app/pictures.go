package app

import (
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/tubercdn/tuber/icons"
)

// appIcon is the program's own picture.
func appIcon() fyne.Resource { return fyne.NewStaticResource("tuber.png", icons.App) }

// trayIcon is the tray's picture for a mood.
func trayIcon(m mood) fyne.Resource {
	state := icons.State(m)
	if runtime.GOOS == "darwin" { // which colours it itself
		return theme.NewThemedResource(fyne.NewStaticResource("tray-"+string(m)+".svg", icons.TraySVG(state)))
	}
	return fyne.NewStaticResource("tray-"+string(m)+".png", icons.Tray(state))
}
