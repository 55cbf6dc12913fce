package app

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"github.com/boombuler/barcode/qr"
)

// newQR is a text as a QR code, black on white whatever the theme, with the
// quiet edge of four modules that readers need. It is nil for text that is too
// long for one.
func newQR(text string, side float32) fyne.CanvasObject {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil
	}
	const edge = 4
	b := code.Bounds()
	img := image.NewGray(image.Rect(0, 0, b.Dx()+2*edge, b.Dy()+2*edge))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			img.SetGray(x+edge, y+edge, color.GrayModel.Convert(code.At(b.Min.X+x, b.Min.Y+y)).(color.Gray))
		}
	}
	picture := canvas.NewImageFromImage(img)
	picture.ScaleMode = canvas.ImageScalePixels
	picture.FillMode = canvas.ImageFillContain
	picture.SetMinSize(fyne.NewSquareSize(side))
	return picture
}
