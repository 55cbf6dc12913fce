package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

// service is who answers on a bus, and where.
type service struct {
	name string
	path dbus.ObjectPath
}

// bus is a connection to a bus that may be missing, and may come back.
type bus struct {
	connect func(context.Context) (*dbus.Conn, error)
	watched []service
	conn    *dbus.Conn    // nil if there is none
	changed chan struct{} // gets a value after a watched service changed
	tried   time.Time
}

const retryEvery = 5 * time.Second // to reach a bus that is not there

// openSystem connects to the system's bus and watches some of its services.
func openSystem(ctx context.Context, watched ...service) *bus {
	return openBus(ctx, func(ctx context.Context) (*dbus.Conn, error) {
		return dbus.ConnectSystemBus(dbus.WithContext(ctx))
	}, watched)
}

// openSession connects to the bus of the user's session; none is started.
func openSession(ctx context.Context, watched ...service) *bus {
	return openBus(ctx, func(ctx context.Context) (*dbus.Conn, error) {
		at := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
		if at == "" || at == "autolaunch:" {
			at = "unix:path=" + filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus")
		}
		return dbus.Connect(at, dbus.WithContext(ctx))
	}, watched)
}

func openBus(ctx context.Context, connect func(context.Context) (*dbus.Conn, error), watched []service) *bus {
	b := &bus{connect: connect, watched: watched, changed: make(chan struct{}, 1)}
	b.ensure(ctx)
	return b
}

func (b *bus) close() {
	if b.conn != nil {
		_ = b.conn.Close() // it held nothing
	}
	b.conn = nil
}

// ensure connects anew, now and then, where the connection is gone.
func (b *bus) ensure(ctx context.Context) {
	if b.conn != nil && b.conn.Connected() || time.Since(b.tried) < retryEvery {
		return
	}
	b.close()
	b.tried = time.Now()
	conn, err := b.connect(ctx)
	if err != nil {
		return // facts are unknown without it
	}
	if b.follow(conn) != nil {
		_ = conn.Close()
		return
	}
	b.conn = conn
}

// follow asks for the changes of the watched services, and forwards them.
func (b *bus) follow(conn *dbus.Conn) error {
	for _, s := range b.watched {
		err := errors.Join(
			conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus.Properties"), dbus.WithMatchObjectPath(s.path)),
			conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"),
				dbus.WithMatchArg(0, s.name)),
		)
		if err != nil {
			return err
		}
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go func() {
		for range signals { // closed with the connection
			select {
			case b.changed <- struct{}{}:
			default: // one is enough
			}
		}
	}()
	return nil
}

var errNoBus = errors.New("no D-Bus is running")

// call asks a service that runs already.
func (b *bus) call(ctx context.Context, s service, method string, into any, args ...any) error {
	if b.conn == nil {
		return errNoBus
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	err := b.conn.Object(s.name, s.path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...).Store(into)
	if err != nil {
		return fmt.Errorf("ask %s: %w", s.name, err)
	}
	return nil
}

// property reads one of a service's.
func (b *bus) property(ctx context.Context, s service, iface, name string, into any) error {
	var v dbus.Variant
	if err := b.call(ctx, s, "org.freedesktop.DBus.Properties.Get", &v, iface, name); err != nil {
		return err
	}
	if err := v.Store(into); err != nil {
		return fmt.Errorf("read %s of %s: %w", name, s.name, err)
	}
	return nil
}
