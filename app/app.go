package app

import (
	fyneapp "fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"
)

// ID names the program to the desktop.
const ID = "io.github.tubercdn.tuber"

// Run shows the window until it is quit.
func Run() int {
	a := fyneapp.NewWithID(ID)
	w := a.NewWindow("Tuber")
	w.SetContent(widget.NewLabel("Tuber"))
	w.ShowAndRun()
	return 0
}
