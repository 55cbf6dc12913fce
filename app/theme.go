package app

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Colours that Fyne's own theme does not name.
const (
	colorCard      fyne.ThemeColorName = "tuber-card"
	colorLine      fyne.ThemeColorName = "tuber-line"
	colorLeafSoft  fyne.ThemeColorName = "tuber-leaf-soft"
	colorAmberSoft fyne.ThemeColorName = "tuber-amber-soft"
	colorSecond    fyne.ThemeColorName = "tuber-second" // a graph's second line
)

// look is Fyne's theme with the colours of Tuber's pages: paper, ink and one
// leaf green.
type look struct{ fyne.Theme }

func newLook() fyne.Theme { return look{theme.DefaultTheme()} }

// large is a theme in which buttons are big.
type large struct{ fyne.Theme }

func (l large) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameText:
		return 20
	case theme.SizeNameInlineIcon:
		return 28
	case theme.SizeNameInnerPadding:
		return 14
	}
	return l.Theme.Size(name)
}

type pair struct{ light, dark uint32 } // 0xRRGGBBAA

var palette = map[fyne.ThemeColorName]pair{
	theme.ColorNameBackground:          {0xf6f7f4ff, 0x14181aff},
	theme.ColorNameForeground:          {0x1d2622ff, 0xe6ece8ff},
	theme.ColorNameDisabled:            {0x5c6962ff, 0x93a29bff},
	theme.ColorNamePlaceHolder:         {0x6d7a73ff, 0x83918bff},
	theme.ColorNamePrimary:             {0x1f7a55ff, 0x5cc99aff},
	theme.ColorNameForegroundOnPrimary: {0xffffffff, 0x0e1a15ff},
	theme.ColorNameHyperlink:           {0x1f7a55ff, 0x5cc99aff},
	theme.ColorNameFocus:               {0x1f7a5555, 0x5cc99a66},
	theme.ColorNameSelection:           {0x1f7a5540, 0x5cc99a50},
	theme.ColorNameButton:              {0xe9ede7ff, 0x2a3236ff},
	theme.ColorNameDisabledButton:      {0xeef1ecff, 0x20272aff},
	theme.ColorNameInputBackground:     {0xf6f7f4ff, 0x171c1eff},
	theme.ColorNameInputBorder:         {0xc9d0c7ff, 0x3d474dff},
	theme.ColorNameOverlayBackground:   {0xffffffff, 0x1c2225ff},
	theme.ColorNameMenuBackground:      {0xffffffff, 0x232a2eff},
	theme.ColorNameSeparator:           {0xe1e5deff, 0x2b3338ff},
	theme.ColorNameSuccess:             {0x1f7a55ff, 0x5cc99aff},
	theme.ColorNameWarning:             {0x8a5100ff, 0xf0b35aff},
	theme.ColorNameForegroundOnWarning: {0xffffffff, 0x1d1508ff},
	theme.ColorNameError:               {0xa8341fff, 0xf08a76ff},
	theme.ColorNameForegroundOnError:   {0xffffffff, 0x240d08ff},
	theme.ColorNameScrollBar:           {0x1d262266, 0xe6ece866},
	theme.ColorNameScrollBarBackground: {0x00000000, 0x00000000},
	theme.ColorNameShadow:              {0x1d262226, 0x00000066},
	theme.ColorNameHeaderBackground:    {0xf6f7f4ff, 0x14181aff},
	colorCard:                          {0xffffffff, 0x1c2225ff},
	colorLine:                          {0xe1e5deff, 0x2b3338ff},
	colorLeafSoft:                      {0xd9eee3ff, 0x1d3a30ff},
	colorAmberSoft:                     {0xfbeed8ff, 0x3a2e1bff},
	colorSecond:                        {0x9a5a00ff, 0xf0b35aff},
}

func (l look) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	p, ours := palette[name]
	if !ours {
		return l.Theme.Color(name, variant)
	}
	c := p.light
	if variant == theme.VariantDark {
		c = p.dark
	}
	return color.NRGBA{R: uint8(c >> 24), G: uint8(c >> 16), B: uint8(c >> 8), A: uint8(c)}
}

func (l look) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameHeadingText:
		return 24
	case theme.SizeNameSubHeadingText:
		return 16
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameInputRadius, theme.SizeNameButtonRadius:
		return 8
	case theme.SizeNameDialogRadius, theme.SizeNameCardRadius:
		return 14
	case theme.SizeNameMenuRadius, theme.SizeNamePopupRadius:
		return 8
	case theme.SizeNameScrollBar:
		return 10
	}
	return l.Theme.Size(name)
}
