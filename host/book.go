package host

import (
	"log/slog"
	"path/filepath"

	"github.com/tubercdn/tuber/store"
)

// The files of a state directory besides tls.key and admin.sock. The book is
// also the lock of the directory.
const (
	bookFile    = "book.db"
	siteKeyFile = "site.key"
)

// OpenBook opens the book of a state directory on which no host runs. While
// one does the error names its process; ask it by DialAdmin then.
func OpenBook(dir string) (*store.Book, error) { return openBook(dir, nil) }

func openBook(dir string, log *slog.Logger) (*store.Book, error) {
	return store.OpenBook(store.BookOptions{Path: filepath.Join(dir, bookFile), Log: log})
}
