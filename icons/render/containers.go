package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
)

// Entries of tuber.ico. Up to 64 pixels they are bitmaps, which every reader of
// .ico knows; 256 is a PNG, as Windows itself does.
var icoSizes = []int{16, 20, 24, 32, 40, 48, 64, 256}

// ico packs a Windows icon: a directory (6 bytes, 16 for each entry), then the
// images.
func ico(icon func(size int) *image.NRGBA) ([]byte, error) {
	var directory, images bytes.Buffer
	le := binary.LittleEndian
	directory.Write([]byte{0, 0, 1, 0}) // reserved, type: icon
	binary.Write(&directory, le, uint16(len(icoSizes)))
	offset := 6 + 16*len(icoSizes)
	for _, size := range icoSizes {
		data := bitmap(icon(size))
		if size >= 256 {
			var err error
			if data, err = encode(icon(size)); err != nil {
				return nil, err
			}
		}
		directory.Write([]byte{byte(size), byte(size), 0, 0}) // 256 is written as 0; no palette
		binary.Write(&directory, le, []uint16{1, 32})         // planes, bits a pixel
		binary.Write(&directory, le, []uint32{uint32(len(data)), uint32(offset + images.Len())})
		images.Write(data)
	}
	return append(directory.Bytes(), images.Bytes()...), nil
}

// bitmap is a BITMAPINFOHEADER, 32-bit pixels from the bottom up, and an empty
// mask: the alpha channel says what shows.
func bitmap(img *image.NRGBA) []byte {
	size := img.Bounds().Dx()
	mask := (size + 31) / 32 * 4 * size
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, []uint32{
		40, uint32(size), uint32(2 * size), // header's length; width; height with the mask's
		1 | 32<<16, 0, // planes and bits a pixel; not compressed
		uint32(4*size*size + mask), 0, 0, 0, 0,
	})
	for y := size - 1; y >= 0; y-- {
		for x := range size {
			c := img.NRGBAAt(x, y)
			b.Write([]byte{c.B, c.G, c.R, c.A})
		}
	}
	b.Write(make([]byte, mask))
	return b.Bytes()
}

// Entries of tuber.icns, all PNG: the type says the size.
var icnsEntries = []struct {
	kind string
	size int
}{
	{"icp4", 16}, {"icp5", 32}, {"ic11", 32}, {"ic12", 64}, {"ic07", 128},
	{"ic13", 256}, {"ic08", 256}, {"ic14", 512}, {"ic09", 512}, {"ic10", 1024},
}

// icns packs a macOS icon: "icns" and the length of all, then entries of a
// type, the entry's length with these 8 bytes, and the image.
func icns(icon func(size int) *image.NRGBA) ([]byte, error) {
	var entries bytes.Buffer
	for _, e := range icnsEntries {
		data, err := encode(icon(e.size))
		if err != nil {
			return nil, err
		}
		entries.WriteString(e.kind)
		binary.Write(&entries, binary.BigEndian, uint32(8+len(data)))
		entries.Write(data)
	}
	out := binary.BigEndian.AppendUint32([]byte("icns"), uint32(8+entries.Len()))
	return append(out, entries.Bytes()...), nil
}

// Size of the picture beside NSIS' first and last page, in pixels.
const sidebarWidth, sidebarHeight = 164, 314

// sidebar is a Windows bitmap of 24 bits a pixel, the icon on the paper colour of
// the program's pages.
func sidebar(icon image.Image) []byte {
	img := image.NewRGBA(image.Rect(0, 0, sidebarWidth, sidebarHeight))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{0xd9, 0xee, 0xe3, 0xff}), image.Point{}, draw.Src)
	b := icon.Bounds()
	at := image.Pt((sidebarWidth-b.Dx())/2, (sidebarHeight-b.Dy())/2)
	draw.Draw(img, b.Add(at), icon, image.Point{}, draw.Over)

	row := (3*sidebarWidth + 3) / 4 * 4 // bytes, filled up to whole words
	var out bytes.Buffer
	out.WriteString("BM")
	binary.Write(&out, binary.LittleEndian, []uint32{
		uint32(14 + 40 + row*sidebarHeight), 0, 14 + 40, // length of all, reserved, where pixels begin
		40, sidebarWidth, sidebarHeight, 1 | 24<<16, 0, uint32(row * sidebarHeight), 0, 0, 0, 0,
	})
	for y := sidebarHeight - 1; y >= 0; y-- {
		line := make([]byte, row)
		for x := range sidebarWidth {
			c := img.RGBAAt(x, y)
			line[3*x], line[3*x+1], line[3*x+2] = c.B, c.G, c.R
		}
		out.Write(line)
	}
	return out.Bytes()
}
