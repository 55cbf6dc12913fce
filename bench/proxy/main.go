// Command proxy compares what Tuber's host passes through with Debian's nginx
// and caddy as reverse proxies before the same upstream, side by side: the
// rounds of all three are interleaved, and the medians of their ratios count.
//
// Run it with `make bench-proxy`; it needs nginx, caddy and wrk.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sizes of the responses that are passed through, in bytes.
var sizes = []struct {
	name  string
	bytes int
}{{"1 KiB", 1 << 10}, {"100 KiB", 100 << 10}, {"10 MiB", 10 << 20}}

func main() {
	upstream := flag.String("upstream", "", "internal: serve as the upstream on this address")
	tuber := flag.String("tuber", "bin/tuber", "the program")
	rounds := flag.Int("rounds", 5, "interleaved rounds")
	seconds := flag.Int("seconds", 3, "length of one measurement")
	flag.Parse()
	if *upstream != "" {
		log.Fatal(serve(*upstream))
	}
	if err := compare(*tuber, *rounds, *seconds); err != nil {
		log.Fatal(err)
	}
}

// serve is the site: bytes of any length from memory, of a type that nobody shares.
func serve(addr string) error {
	body := make([]byte, 10<<20)
	return http.ListenAndServe(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil || n < 0 || n > len(body) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Write(body[:n])
	}))
}

type proxy struct {
	name string
	addr string
}

func compare(tuber string, rounds, seconds int) error {
	dir, err := os.MkdirTemp("", "tuber-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	site := freeAddr()
	var all processes
	defer func() { all.stop() }() // all that are there by then
	proxies := []proxy{{"direct", site}, {"tuber", freeAddr()}, {"nginx", freeAddr()}, {"caddy", freeAddr()}}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(nginxConf(dir, proxies[2].addr, site)), 0o600); err != nil {
		return err
	}
	caddyfile := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(caddyfile, []byte(fmt.Sprintf("{\n admin off\n}\nhttp://%s {\n reverse_proxy %s\n}\n", proxies[3].addr, site)), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{self, "-upstream", site},
		{tuber, "host", "--upstream", "http://" + site, "--listen", proxies[1].addr, "--control-listen", "127.0.0.1:0", "--udp-listen", "127.0.0.1:0", "--stun-listen", "off", "--no-upnp", "--state", filepath.Join(dir, "host")},
		{"nginx", "-c", conf, "-p", dir},
		{"caddy", "run", "--adapter", "caddyfile", "--config", caddyfile},
	} {
		if err := all.start(dir, args); err != nil {
			return err
		}
	}
	for _, p := range proxies {
		if err := answers(p.addr); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	fmt.Printf("| response | proxy | requests/s | p99 latency | ratio to direct |\n|---|---|---|---|---|\n")
	worst := 1e9
	for _, size := range sizes {
		worst = min(worst, measure(proxies, size.name, size.bytes, rounds, seconds))
	}
	fmt.Printf("proxy ratio %.2f\n", worst)
	return nil
}

// measure prints one size's rows and returns Tuber's requests over caddy's.
func measure(proxies []proxy, name string, bytes, rounds, seconds int) float64 {
	rate := make([][]float64, len(proxies))
	tail := make([][]float64, len(proxies))
	for range rounds {
		for i, p := range proxies {
			r, l, err := wrk(p.addr, bytes, seconds)
			if err != nil {
				log.Fatalf("%s, %s: %v", p.name, name, err)
			}
			rate[i], tail[i] = append(rate[i], r), append(tail[i], l)
		}
	}
	for i, p := range proxies {
		fmt.Printf("| %s | %s | %.0f | %.1f ms | %.2f |\n", name, p.name, median(rate[i]), median(tail[i]), median(ratios(rate[i], rate[0])))
	}
	return median(ratios(rate[1], rate[3]))
}

func ratios(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	p99       = regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`)
)

// wrk returns requests per second and the 99th percentile in milliseconds.
func wrk(addr string, bytes, seconds int) (rate, tail float64, err error) {
	out, err := exec.Command("wrk", "-t1", "-c16", "--latency", fmt.Sprintf("-d%ds", seconds), fmt.Sprintf("http://%s/%d", addr, bytes)).CombinedOutput()
	r, l := perSecond.FindSubmatch(out), p99.FindSubmatch(out)
	if err != nil || r == nil || l == nil || strings.Contains(string(out), "Non-2xx") {
		return 0, 0, fmt.Errorf("wrk: %v\n%s", err, out)
	}
	rate, _ = strconv.ParseFloat(string(r[1]), 64)
	tail, _ = strconv.ParseFloat(string(l[1]), 64)
	switch string(l[2]) {
	case "us":
		tail /= 1000
	case "s":
		tail *= 1000
	}
	return rate, tail, nil
}

func nginxConf(dir, listen, site string) string {
	return fmt.Sprintf(`daemon off; worker_processes 1; pid %s/nginx.pid; error_log %s/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
  upstream site { server %s; keepalive 64; }
  server { listen %s; location / { proxy_pass http://site; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`, dir, dir, dir, dir, dir, dir, dir, site, listen)
}

// processes are stopped together.
type processes []*exec.Cmd

func (p *processes) start(dir string, args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", args[0], err)
	}
	*p = append(*p, cmd)
	return nil
}

func (p processes) stop() {
	for _, cmd := range p {
		cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			cmd.Process.Kill()
			<-done
		}
	}
}

func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answers waits, at most 10 s, until the address answers a small request.
func answers(addr string) error {
	var last error
	for range 100 {
		res, err := http.Get("http://" + addr + "/16")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %s", res.Status)
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	return last
}
