package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tubercdn/tuber"
)

const maxSettings = 1 << 20 // bytes of the file

// settingsFile keeps the window's settings.
type settingsFile struct {
	path   string
	unread error // why the file is there and was not read: it is not replaced then
}

// read reads the file; what cannot be understood is kept aside, and trouble is
// a sentence on it. Defaults stand in for what is not there.
func (f *settingsFile) read() (s tuber.AppSettings, trouble string) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, ""
	}
	if err == nil {
		defer file.Close()
		s, err = parse(file)
	}
	switch {
	case err == nil:
		return s, ""
	case !errors.Is(err, errDamaged):
		f.unread = err
		return tuber.AppSettings{}, fmt.Sprintf("The window's settings cannot be read (%v). The usual ones are in force, and changes are not kept.", err)
	}
	aside := fmt.Sprintf("%s.damaged-%s", f.path, time.Now().UTC().Format("20060102-150405"))
	if renameErr := os.Rename(f.path, aside); renameErr != nil {
		f.unread = err
		return tuber.AppSettings{}, fmt.Sprintf("The window's settings file is damaged (%v) and could not be moved aside (%v). The usual ones are in force, and changes are not kept.", err, renameErr)
	}
	return tuber.AppSettings{}, fmt.Sprintf("The window's settings file was damaged (%v). It is kept as %s; the usual settings are in force.", err, aside)
}

var errDamaged = errors.New("not this program's JSON")

func parse(r io.Reader) (s tuber.AppSettings, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSettings+1))
	if err != nil {
		return s, err
	}
	if len(b) > maxSettings {
		return s, fmt.Errorf("%w: over %d bytes", errDamaged, maxSettings)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("%w: %v", errDamaged, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return s, fmt.Errorf("%w: something follows its end", errDamaged)
	}
	return s, nil
}

// write replaces the file whole.
func (f *settingsFile) write(s tuber.AppSettings) error {
	if f.unread != nil {
		return fmt.Errorf("keep the window's settings: %w", f.unread)
	}
	s.Agreed = slices.Clone(s.Agreed)
	b, err := json.MarshalIndent(s, "", "  ")
	if err == nil && len(b) >= maxSettings {
		err = fmt.Errorf("%d bytes, at most %d", len(b), maxSettings)
	}
	if err == nil {
		err = replace(f.path, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep the window's settings: %w", err)
	}
	return nil
}

// replace writes a file so that a crash leaves the old or the new one.
func replace(path string, b []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name()) // the other error says more
		}
	}()
	_, err = temp.Write(b)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
