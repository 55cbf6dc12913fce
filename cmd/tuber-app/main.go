// Command tuber-app is Tuber with a window and a tray icon.
package main

import (
	"context"
	"os"

	"github.com/tubercdn/tuber/app"
)

func main() { os.Exit(app.Run(context.Background(), app.Config{})) }
