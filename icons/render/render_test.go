package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// slack is by how much a colour may differ from the committed one: processors
// round differently, and compressors change, so that bytes are not compared.
const slack = 2

func TestCommittedRenderingsAreCurrent(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "dist")
	if err := render("../source", fresh); err != nil {
		t.Fatal(err)
	}
	want, got := pictures(t, fresh), pictures(t, "../dist")
	if len(want) < 35 {
		t.Fatalf("only %d pictures rendered", len(want))
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("icons/dist has %s, which nothing renders", name)
		}
	}
	for name, picture := range want {
		if got[name] == nil || !alike(picture, got[name]) {
			t.Errorf("icons/dist: %s is not what icons/source renders to: run go generate ./icons", name)
		}
	}
}

func TestAChangedPictureIsSeen(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	other := image.NewNRGBA(img.Bounds())
	other.Set(2, 1, color.NRGBA{A: 0x10})
	if alike(img, other) {
		t.Error("one pixel differs, and they count as alike")
	}
	if alike(img, image.NewNRGBA(image.Rect(0, 0, 4, 5))) {
		t.Error("pictures of different sizes count as alike")
	}
}

func alike(a, b *image.NRGBA) bool {
	return a.Bounds() == b.Bounds() && !slices.ContainsFunc(differences(a, b), func(d uint8) bool { return d > slack })
}

func differences(a, b *image.NRGBA) []uint8 {
	all := make([]uint8, len(a.Pix))
	for i, v := range a.Pix {
		all[i] = max(v, b.Pix[i]) - min(v, b.Pix[i])
	}
	return all
}

// pictures reads every picture below dir, those within .ico and .icns too.
func pictures(t *testing.T, dir string) map[string]*image.NRGBA {
	t.Helper()
	all := map[string]*image.NRGBA{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch filepath.Ext(path) {
		case ".ico":
			for size, img := range readICO(t, b) {
				all[name+size] = img
			}
		case ".icns":
			for kind, img := range readICNS(t, b) {
				all[name+kind] = img
			}
		case ".bmp":
			all[name] = readBMP(t, b)
		default:
			all[name] = readPNG(t, b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func readPNG(t *testing.T, b []byte) *image.NRGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	straight, ok := img.(*image.NRGBA)
	if !ok {
		t.Fatalf("a picture without transparency: %T", img)
	}
	return straight
}

// readICO reads what ico wrote, by the format and not by its code.
func readICO(t *testing.T, b []byte) map[string]*image.NRGBA {
	t.Helper()
	le := binary.LittleEndian
	all := map[string]*image.NRGBA{}
	if le.Uint16(b) != 0 || le.Uint16(b[2:]) != 1 {
		t.Fatal("tuber.ico does not begin as an icon does")
	}
	for i := range int(le.Uint16(b[4:])) {
		entry := b[6+16*i:]
		data := b[le.Uint32(entry[12:]):][:le.Uint32(entry[8:])]
		size := int(entry[0])
		if size == 0 {
			all["/256"] = readPNG(t, data)
			continue
		}
		if le.Uint32(data) != 40 || int(le.Uint32(data[4:])) != size || int(le.Uint32(data[8:])) != 2*size || le.Uint16(data[14:]) != 32 {
			t.Fatalf("tuber.ico: header of the bitmap of %d pixels", size)
		}
		img := image.NewNRGBA(image.Rect(0, 0, size, size))
		for p := range size * size {
			px := data[40+4*p:]
			img.SetNRGBA(p%size, size-1-p/size, color.NRGBA{px[2], px[1], px[0], px[3]})
		}
		all["/"+string('0'+rune(size/10))+string('0'+rune(size%10))] = img
	}
	if len(all) != len(icoSizes) {
		t.Fatalf("tuber.ico holds %d sizes, want %d", len(all), len(icoSizes))
	}
	return all
}

func readICNS(t *testing.T, b []byte) map[string]*image.NRGBA {
	t.Helper()
	if string(b[:4]) != "icns" || int(binary.BigEndian.Uint32(b[4:])) != len(b) {
		t.Fatal("tuber.icns does not begin as one does")
	}
	all := map[string]*image.NRGBA{}
	for b = b[8:]; len(b) > 0; {
		n := binary.BigEndian.Uint32(b[4:])
		img := readPNG(t, b[8:n])
		i := slices.IndexFunc(icnsEntries, func(e struct {
			kind string
			size int
		}) bool {
			return e.kind == string(b[:4])
		})
		if i < 0 || img.Bounds().Dx() != icnsEntries[i].size {
			t.Fatalf("tuber.icns: %s of %v", b[:4], img.Bounds())
		}
		all["/"+string(b[:4])] = img
		b = b[n:]
	}
	return all
}

func readBMP(t *testing.T, b []byte) *image.NRGBA {
	t.Helper()
	le := binary.LittleEndian
	width, height := int(le.Uint32(b[18:])), int(le.Uint32(b[22:]))
	if string(b[:2]) != "BM" || int(le.Uint32(b[2:])) != len(b) || le.Uint16(b[28:]) != 24 || width != 164 || height != 314 {
		t.Fatalf("installer.bmp: header of %d x %d", width, height)
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	row := (3*width + 3) / 4 * 4
	for y := range height {
		for x := range width {
			px := b[int(le.Uint32(b[10:]))+row*(height-1-y)+3*x:]
			img.SetNRGBA(x, y, color.NRGBA{px[2], px[1], px[0], 0xff})
		}
	}
	return img
}
