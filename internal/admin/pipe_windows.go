package admin

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
)

// Pipes live in one name space for all users, so that anybody could open one by
// a name that can be guessed and wait for what is said there. The name is drawn
// anew at each start, and stands in a file of the directory, which is the
// owner's alone.
const (
	file    = "admin.pipe"
	prefix  = `\\.\pipe\tuber-`
	maxName = 256 // bytes
)

// Listen opens the pipe. The caller holds the directory, so a name that lies
// there already was left by a program that died.
func Listen(dir string) (net.Listener, error) {
	owner, err := user.Current()
	if err != nil {
		return nil, fmt.Errorf("open admin pipe: %w", err)
	}
	name := prefix + rand.Text()
	ln, err := winio.ListenPipe(name, &winio.PipeConfig{
		SecurityDescriptor: "D:P(A;;GA;;;" + owner.Uid + ")", // the owner and nobody else
	})
	if err != nil {
		return nil, fmt.Errorf("open admin pipe: %w", err)
	}
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
		_ = ln.Close() // the other error says more
		return nil, fmt.Errorf("open admin pipe: %w", err)
	}
	return &pipe{ln, path}, nil
}

// pipe takes its name away when it is closed.
type pipe struct {
	net.Listener
	path string
}

func (p *pipe) Close() error {
	err := p.Listener.Close()
	_ = os.Remove(p.path) // a name without a pipe is only tried in vain
	return err
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	path := filepath.Join(dir, file)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxName {
		return nil, fmt.Errorf("%s is not what this program wrote", path)
	}
	name, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(string(name), prefix) {
		return nil, fmt.Errorf("%s is not what this program wrote", path)
	}
	return winio.DialPipeContext(ctx, string(name))
}
