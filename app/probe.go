//go:build !ci

package app

import (
	"fmt"
	"runtime"

	"github.com/go-gl/glfw/v3.4/glfw"
)

// CanShow says why no window can be shown here, nil if one can. It makes a
// hidden window and takes it away again, because Fyne ends the program where it
// cannot make its own. It must be called on the main goroutine, before Run.
func CanShow() (err error) {
	defer func() {
		if r := recover(); r != nil { // glfw's way to say what it did not foresee
			err = fmt.Errorf("no window can be made here: %v", r)
		}
	}()
	if err := glfw.Init(); err != nil {
		return fmt.Errorf("no display can be used here: %w", err)
	}
	defer glfw.Terminate() // Fyne begins anew, with its own choice of platform
	glfw.WindowHint(glfw.Visible, glfw.False)
	what := "OpenGL 2.1"
	glfw.WindowHint(glfw.ContextVersionMajor, 2)
	glfw.WindowHint(glfw.ContextVersionMinor, 1)
	if runtime.GOOS != "darwin" && (runtime.GOARCH == "arm" || runtime.GOARCH == "arm64") { // as Fyne has it
		what = "OpenGL ES 2.0"
		glfw.WindowHint(glfw.ClientAPI, glfw.OpenGLESAPI)
		glfw.WindowHint(glfw.ContextVersionMinor, 0)
	}
	w, err := glfw.CreateWindow(64, 64, "", nil, nil)
	if err != nil {
		return fmt.Errorf("a window with %s cannot be made here: %w", what, err)
	}
	w.Destroy()
	return nil
}
