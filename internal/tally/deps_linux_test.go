package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// fakeQuery knows every package but the two that are missing.
const fakeQuery = `#!/bin/sh
case "$3" in chromium|openssl) exit 1;; *) echo 'install ok installed';; esac
`

// trap is a program that must not be called; its folder tells if it was.
const trap = `#!/bin/sh
touch "$(dirname "$0")/called"
`

// TestMissingPackagesAsAnOrdinaryUser: whoever is not root is told the exact line
// to type, and nothing is installed on their behalf.
func TestMissingPackagesAsAnOrdinaryUser(t *testing.T) {
	const want = "Some packages are missing. Install them and run it again:\n" +
		"  sudo apt-get update && sudo apt-get install --no-install-recommends chromium openssl"
	for _, c := range []struct {
		name    string
		command []string
		want    string
	}{
		{"deps.sh", []string{"scripts/deps.sh"}, want + "\n"},
		{"with a further list", []string{"scripts/deps.sh", "more.txt"}, want + " chromium\n"},
		{"make test", []string{"make", "--no-print-directory", "test"}, want + "\n"},
	} {
		dir := sandbox(t)
		cmd := exec.Command(c.command[0], c.command[1:]...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin", "HOME=" + dir}
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}} // nobody
		}
		out, err := cmd.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || string(out) != c.want {
			t.Errorf("%s: %v with %q, want exit status 2 with %q", c.name, err, out, c.want)
		}
		if _, err := os.Stat(filepath.Join(dir, "bin", "called")); err == nil {
			t.Errorf("%s: sudo or apt-get was called", c.name)
		}
	}
}

// sandbox is a folder with the scripts and the Makefile that anybody may read, and
// programs that stand in for Debian's.
func sandbox(t *testing.T) string {
	dir, err := os.MkdirTemp("", "deps")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write := func(name string, text []byte, mode os.FileMode) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, text, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"", "scripts", "bin"} {
		path := filepath.Join(dir, sub)
		if err := errors.Join(os.MkdirAll(path, 0o777), os.Chmod(path, 0o777)); err != nil { // the trap writes there
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Makefile", "scripts/deps.sh", "scripts/test.sh", "scripts/tags.sh", "scripts/packages.txt"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		write(name, text, 0o755)
	}
	write("more.txt", []byte("chromium\n"), 0o644)
	write("bin/dpkg-query", []byte(fakeQuery), 0o755)
	write("bin/sudo", []byte(trap), 0o755)
	write("bin/apt-get", []byte(trap), 0o755)
	return dir
}
