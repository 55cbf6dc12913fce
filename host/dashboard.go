package host

import (
	"net/http"
)

// dashboard is what the guard lets the owner see: the page, the API, the metrics.
func dashboard(c console, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page("dashboard.html", nil))
	mux.HandleFunc("GET /assets/{name}", files("style.css", "mark.svg", "qr.js", "graph.js", "dashboard.js"))
	mux.Handle("/api/", api(c))
	mux.Handle("GET /metrics", metrics)
	return mux
}
