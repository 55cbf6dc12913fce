package app

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"fyne.io/fyne/v2"
)

// trayIcon is the tray's picture for a mood.
func trayIcon(m mood) fyne.Resource {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	shade := color.NRGBA{0x5c, 0xc9, 0x9a, 0xff}
	if m != moodActive {
		shade = color.NRGBA{0x93, 0xa2, 0x9b, 0xff}
	}
	for y := 12; y < 52; y++ {
		for x := 12; x < 52; x++ {
			img.SetNRGBA(x, y, shade)
		}
	}
	var b bytes.Buffer
	png.Encode(&b, img)
	return fyne.NewStaticResource("tray-"+string(m)+".png", b.Bytes())
}
