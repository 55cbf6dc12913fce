package app

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/store"
)

// TestWhatOthersSayIsTranslated takes sentences from those who say them.
func TestWhatOthersSayIsTranslated(t *testing.T) {
	b, err := booster.New(booster.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	invite := testInvite("127.0.0.1:1", 1) // nothing listens there
	offline, joined := b.Join(ctx, invite.URL()), b.Join(ctx, invite.URL())
	settings := b.Settings()
	settings.Folder = "here"
	notWhole := b.SetSettings(settings)
	settings.Folder = filepath.Join(t.TempDir(), "gone")
	gone := b.SetSettings(settings)
	if err := speak("de"); err != nil {
		t.Fatal(err)
	}
	defer speak("en")
	for _, tc := range []struct {
		err  error
		want string
	}{
		{offline, "127.0.0.1:1 antwortet nicht: Tuber versucht es, bis er es tut (Verbindung abgelehnt)."},
		{joined, "127.0.0.1:1: Diesem Schwarm hilfst du schon; es ist nichts zu tun."},
		{notWhole, `"here" ist kein ganzer Pfad. Schreib ihn von Anfang an.`},
		{gone, "Im Ordner " + settings.Folder + " kann nichts abgelegt werden (gibt es nicht). Mach ihn beschreibbar oder wähle einen anderen."},
		{tuber.ErrInviteUsed, "Diese Einladung wurde schon benutzt. Bitte den Host um eine neue."},
		{tuber.ErrInviteUnknown, "Diese Einladung ist dort unbekannt. Bitte den Host um eine neue."},
		{tuber.ErrInviteExpired, "Diese Einladung ist abgelaufen. Bitte den Host um eine neue."},
		{tuber.ErrInviteRevoked, "Der Host hat diese Einladung zurückgezogen."},
		{&control.RefusedError{Code: "off", Sentence: "the host has switched peers off; the site works without them"},
			"vom Planer abgelehnt (off): Der Host hat Peers abgeschaltet; die Seite läuft ohne sie."},
		{&store.FolderError{Folder: "/mnt/x", Err: syscall.EROFS},
			"In /mnt/x kann nichts abgelegt werden: schreibgeschützt. Mach ihn beschreibbar, schließ seine Platte wieder an oder wähle einen anderen Ordner. Gesendet wird weiter aus dem Speicher."},
		{&store.LockedError{Path: "/x/book.db", PID: 7}, "/x/book.db wird vom Prozess 7 benutzt. Beende ihn zuerst."},
		{&store.LockedError{Path: "/x/book.db"}, "/x/book.db wird von einem anderen Programm benutzt. Beende es zuerst."},
		{errors.New("map port 7: the router refused with UPnP error 718"), "Port 7 weiterleiten: Der Router hat mit UPnP-Fehler 718 abgelehnt."},
		// what is not known stays as it is, and hostile text is bounded and fills no gap but its own
		{errors.New("the moon is away"), "the moon is away"},
		{errors.New("the router refused: {{.Code}}\x1b[2J\n\u202e"), "Der Router hat abgelehnt: {{.Code}}[2J"},
	} {
		if got := errorText(tc.err); got != tc.want {
			t.Errorf("%v:\ngot  %q\nwant %q", tc.err, got, tc.want)
		}
	}
	for _, text := range []string{strings.Repeat("the router refused: ", 100_000), strings.Repeat("the router refused: ", 150)} {
		if got := messageText(text); len(got) > 8<<10 {
			t.Errorf("%d bytes of a host become %d in the window", len(text), len(got))
		}
	}
}
