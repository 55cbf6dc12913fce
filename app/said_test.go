package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/booster"
	"github.com/tubercdn/tuber/control"
	"github.com/tubercdn/tuber/host"
	"github.com/tubercdn/tuber/internal/desk"
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
		{fmt.Errorf("%w: made by version 3, this program reads up to version 2; update it", tuber.ErrInvite),
			"Diese Einladung hat Version 3 gemacht, dieses Programm liest bis Version 2. Aktualisiere Tuber."},
		{fmt.Errorf("%w: 9999 characters, an invite has fewer than 1024", tuber.ErrInvite),
			"Das ist kein vollständiger Einladungslink. Kopiere ihn noch einmal vom ersten bis zum letzten Zeichen."},
		{&control.RefusedError{Code: "off", Sentence: "the host has switched peers off; the site works without them"},
			"vom Planer abgelehnt (off): Der Host hat Peers abgeschaltet; die Seite läuft ohne sie."},
		{&store.FolderError{Folder: "/mnt/x", Err: syscall.EROFS},
			"In /mnt/x kann nichts abgelegt werden: schreibgeschützt. Mach ihn beschreibbar, schließ seine Platte wieder an oder wähle einen anderen Ordner. Gesendet wird weiter aus dem Speicher."},
		{&store.LockedError{Path: "/x/book.db", PID: 7}, "/x/book.db wird vom Prozess 7 benutzt. Beende ihn zuerst."},
		{&store.LockedError{Path: "/x/book.db"}, "/x/book.db wird von einem anderen Programm benutzt. Beende es zuerst."},
		{errors.New("map port 7: the router refused with UPnP error 718"), "Port 7 weiterleiten: Der Router hat mit UPnP-Fehler 718 abgelehnt."},
		{fmt.Errorf("%w: it welcomes x, not us", control.ErrPlanner), "Das ist nicht der Planer dieser Seite (it welcomes x, not us)."},
		{fmt.Errorf("schema 9, this program knows 2: %w", store.ErrNewer), "Fassung 9, dieses Programm kennt 2: Ein neueres Tuber hat sie geschrieben. Aktualisiere dieses."},
		{errors.New("change what starts at login: mkdir /x/autostart: permission denied"), "Der Start bei der Anmeldung ließ sich nicht ändern: /x/autostart anlegen: kein Zugriff"},
		{errors.New("make state directory: mkdir /x/tuber: read-only file system"), "Der Ordner für Schlüssel und Einstellungen kann nicht angelegt werden: /x/tuber anlegen: schreibgeschützt"},
		{errors.New("make state directory: mkdir /x: not a directory; change --state"), "Der Ordner für Schlüssel und Einstellungen kann nicht angelegt werden: /x anlegen: kein Ordner"},
		{errors.New("listen for the home network: listen udp 0.0.0.0:0: bind: permission denied"), "Im Heimnetz kann nicht gehört werden: 0.0.0.0:0 (UDP): kein Zugriff"},
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

// TestDamageIsToldInGerman spoils real files and takes a real port.
func TestDamageIsToldInGerman(t *testing.T) {
	if err := speak("de"); err != nil {
		t.Fatal(err)
	}
	defer speak("en")
	spoil := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("\ngot  %q\nwant %q", got, want)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "app.json")
	open := func() *desk.Desk {
		t.Helper()
		d, err := desk.Open(desk.Options{Dir: dir, ID: ID, Version: "1.2.3"})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}

	spoil(file, `{"startHidden": tr`)
	trouble := messageText(open().Trouble())
	aside, err := filepath.Glob(file + ".damaged-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("set aside: %q, %v", aside, err)
	}
	check(trouble, "Die Datei mit den Einstellungen des Fensters war beschädigt (kein JSON dieses Programms: unexpected EOF). Sie liegt als "+
		aside[0]+" beiseite; es gelten die üblichen Einstellungen.")
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	d := open()
	why := file + " lesen: ein Ordner"
	check(messageText(d.Trouble()), "Die Einstellungen des Fensters sind nicht lesbar ("+why+"). Es gelten die üblichen, und Änderungen werden nicht behalten.")
	check(errorText(d.SetSettings(tuber.AppSettings{})), "Die Einstellungen des Fensters wurden nicht behalten: "+why)
	check(messageText("The window's settings file is damaged (not this program's JSON: EOF) and could not be moved aside (permission denied). The usual ones are in force, and changes are not kept."),
		"Die Datei mit den Einstellungen des Fensters ist beschädigt (kein JSON dieses Programms: EOF) und ließ sich nicht beiseitelegen (kein Zugriff). Es gelten die üblichen, und Änderungen werden nicht behalten.")

	book := filepath.Join(dir, "book.db")
	spoil(book, strings.Repeat("no book at all ", 4096))
	_, err = booster.New(booster.Config{Dir: dir})
	check(errorText(err), book+" öffnen: die Datei ist beschädigt (invalid database)\nDas Verzeichnis "+book+
		" enthält Schlüssel und Einladungen und wird nicht von selbst neu begonnen. Es gibt keine Kopie. Um neu zu beginnen, verschiebe es: Einladungen und Booster müssen dann neu gemacht werden.")
	spoil(filepath.Join(dir, "book.db.bak"), "a copy")
	_, err = booster.New(booster.Config{Dir: dir})
	if got := errorText(err); !strings.Contains(got, "und kopiere "+book) || strings.Contains(got, "restore") {
		t.Errorf("with a copy: got %q", got)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	_, err = host.New(host.Config{Dir: t.TempDir(), Files: t.TempDir(), Listen: at})
	check(errorText(err), "An "+at+" kann nicht gehört werden: Ein anderes Programm hat den Port. Beende es oder wähle einen anderen (--listen).")
}
