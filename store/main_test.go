package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tubercdn/tuber"
)

// childEnv makes the test binary play the other program: "write PATH FIRST" or
// "hold CHUNKS BOOK".
const childEnv = "TUBER_STORE_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		if err := child(strings.Split(role, "|")); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func child(args []string) error {
	switch args[0] {
	case "hold":
		s, err := New(Options{Path: args[1], Site: testSite})
		if err != nil {
			return err
		}
		b, err := OpenBook(BookOptions{Path: args[2]})
		if err != nil {
			return err
		}
		fmt.Println("ready")
		_, err = io.Copy(io.Discard, os.Stdin) // until the parent lets go
		return errors.Join(err, s.Close(), b.Close())
	case "write":
		first, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return writeUntilKilled(args[1], first)
	}
	return fmt.Errorf("unknown role %q", args[0])
}

// killed is the content that the killed child writes: its runs have killRun chunks.
var killed = contentID("killed")

const killRun = 3

// writeUntilKilled acknowledges each run on stdout once Flush returned, and now
// and then compacts, so that the kill meets that too.
func writeUntilKilled(path string, next int) error {
	s, err := New(Options{Path: path, Site: testSite})
	if err != nil {
		return err
	}
	hold(s, 2, 3, killed)
	t := &testing.T{} // makeRun cannot fail here
	for ; ; next++ {
		r := makeRun(t, killed, tuber.ChunkNumber(next*killRun), killRun, 1<<62)
		s.AddManifest(r.m)
		for _, v := range r.chunks {
			if _, err := s.Put(v); err != nil {
				return err
			}
		}
		if err := s.Flush(); err != nil {
			return err
		}
		fmt.Println("ack", next)
		if next%16 == 15 {
			s.disk.w.Lock()
			err := s.disk.shrink()
			s.disk.w.Unlock()
			if err != nil {
				return err
			}
		}
	}
}

func startChild(t *testing.T, args ...string) (*exec.Cmd, *bufio.Scanner, io.Closer) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(args, "|"))
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return cmd, bufio.NewScanner(out), in
}

func TestTwoPrograms(t *testing.T) {
	dir := t.TempDir()
	chunks, book := filepath.Join(dir, "chunks.db"), filepath.Join(dir, "book.db")
	cmd, out, in := startChild(t, "hold", chunks, book)
	if !out.Scan() || out.Text() != "ready" {
		t.Fatalf("child says %q", out.Text())
	}
	pid := cmd.Process.Pid
	start := time.Now()
	_, chunkErr := New(Options{Path: chunks, Site: testSite})
	_, bookErr := OpenBook(BookOptions{Path: book})
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("two opens took %v, want at most a second each", took)
	}
	for _, err := range []error{chunkErr, bookErr} {
		var locked *LockedError
		if !errors.As(err, &locked) || locked.PID != pid || !strings.Contains(err.Error(), strconv.Itoa(pid)) {
			t.Errorf("got %v, want it to name process %d", err, pid)
		}
	}
	must(t, in.Close())
	must(t, cmd.Wait())
	openStore(t, Options{Path: chunks})
	openBook(t, book, nil)
}

// What was acknowledged before kill -9 is there afterwards, nothing corrupt is
// served, and the file needs no setting aside.
func TestKill(t *testing.T) {
	path, next, kills := chunkPath(t), 0, 36
	if testing.Short() {
		kills = 10
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		cmd, out, _ := startChild(t, "write", path, strconv.Itoa(next))
		acks := 1 + random.IntN(24)
		// The kill falls somewhere in the work after the last awaited ack.
		delay := time.Duration(random.IntN(6000)) * time.Microsecond
		for out.Scan() {
			if _, err := fmt.Sscanf(out.Text(), "ack %d", &next); err != nil {
				t.Fatalf("child says %q", out.Text())
			}
			if acks--; acks == 0 {
				time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait() // it was killed
		next++
		s, err := New(Options{Path: path, Site: testSite})
		must(t, err)
		for run := range next {
			for n := range killRun {
				r := makeRunNumbers(t, run, n)
				check(t, s, r)
			}
		}
		if aside := setAside(path); len(aside) != 0 {
			t.Fatalf("set aside after a kill: %v", aside)
		}
		must(t, s.Close())
		if next > 90 { // keep each round short
			must(t, os.Remove(path))
			next = 0
		}
	}
}

var killRuns = map[int]run{}

func makeRunNumbers(t *testing.T, n, chunk int) tuber.VerifiedChunk {
	if _, ok := killRuns[n]; !ok {
		killRuns[n] = makeRun(t, killed, tuber.ChunkNumber(n*killRun), killRun, 1<<62)
	}
	return killRuns[n].chunks[chunk]
}

func TestRunFlushesAndEnds(t *testing.T) {
	path, c := chunkPath(t), contentID("a")
	s := openStore(t, Options{Path: path})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	hold(s, 1, 1, c)
	r := makeRun(t, c, 0, 4, 1<<62)
	for _, v := range r.chunks { // the chunks first: the manifest completes the run
		_, err := s.Put(v)
		must(t, err)
	}
	s.AddManifest(r.m)
	deadline := time.After(10 * time.Second)
	for poll := time.NewTicker(time.Millisecond); !s.disk.Has(c, 3); {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("the run is not on disk")
		}
	}
	cancel()
	must(t, <-done)
}
