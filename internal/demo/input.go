package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// errNoFFmpeg says what --input needs.
var errNoFFmpeg = errors.New("--input needs ffmpeg, which is not installed here: install it (on Debian: apt-get install ffmpeg), or leave --input out to see the built-in clip")

// input turns any file or URL that ffmpeg reads into a live HLS stream in dir,
// and serves it. A file plays in real time and begins anew at its end.
type input struct {
	dir string
	cmd *exec.Cmd
	log *os.File
}

func startInput(ctx context.Context, source, dir string) (*input, error) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, errNoFFmpeg
	}
	args := []string{"-nostdin", "-hide_banner", "-loglevel", "warning", "-re"}
	if _, err := os.Stat(source); err == nil {
		args = append(args, "-stream_loop", "-1")
		if source, err = filepath.Abs(source); err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
	} else if !strings.Contains(source, "://") {
		return nil, fmt.Errorf("--input %s: neither a file here nor a URL", source)
	}
	args = append(args, "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency",
		"-b:v", "1500k", "-maxrate", "1600k", "-bufsize", "1500k", "-pix_fmt", "yuv420p",
		"-force_key_frames", "expr:gte(t,n_forced*2)", "-c:a", "aac", "-b:a", "96k", "-ac", "2",
		"-f", "hls", "-hls_time", "2", "-hls_list_size", "6", "-hls_delete_threshold", "6",
		"-hls_flags", "delete_segments+temp_file", "-hls_segment_filename", "%d.ts", "index.m3u8")
	in := &input{dir: dir}
	if in.log, err = os.Create(filepath.Join(dir, "ffmpeg.log")); err != nil {
		return nil, fmt.Errorf("--input: %w", err)
	}
	in.cmd = exec.CommandContext(ctx, ffmpeg, args...)
	in.cmd.Dir, in.cmd.Stderr, in.cmd.WaitDelay = dir, in.log, 3*time.Second
	if err := in.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start ffmpeg: %w", err), in.log.Close())
	}
	return in, nil
}

// wait returns when ffmpeg ended; a nil input never does.
func (in *input) wait() error {
	err := in.cmd.Wait()
	in.log.Close()
	text, _ := os.ReadFile(in.log.Name())
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err == nil {
		return errors.New("ffmpeg reached the end of the input")
	}
	return fmt.Errorf("ffmpeg ended (%w): %s", err, lines[len(lines)-1])
}

// ServeHTTP serves what ffmpeg wrote so far.
func (in *input) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, ".m3u8") {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Header().Set("Cache-Control", "no-cache")
	} else {
		w.Header().Set("Content-Type", "video/mp2t")
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	http.FileServerFS(os.DirFS(in.dir)).ServeHTTP(w, r)
}
