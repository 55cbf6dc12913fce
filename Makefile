# Tuber. `make help` lists everything.
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## run the main job on this machine: a site, a host, a booster (VIEWERS=N adds headless viewers; Ctrl-C ends it)
	@CGO_ENABLED=0 go run ./cmd/tuber demo $(if $(VIEWERS),--viewers $(VIEWERS)) $(ARGS)

test: ## install what is needed (root on Debian) and run every test
	@scripts/test.sh

build: ## build the programs into bin/
	@scripts/build.sh

generate: ## bundle the TypeScript into web/dist, render the icons (needs no Node)
	go generate ./web ./icons

package-linux: ## .deb, .rpm and .tar.xz into dist/ (VERSION=1.2.3)
	@packaging/linux/build.sh

package-windows: ## the installer for Windows into dist/ (VERSION=1.2.3; CERT= and KEY= sign it)
	@packaging/windows/build.sh

package-headless: ## the program without a window for Windows and macOS into dist/ (VERSION=1.2.3)
	@packaging/headless.sh

package-macos: ## Tuber.app and a .zip of it into dist/, on a Mac (VERSION=1.2.3; IDENTITY= signs it)
	@packaging/macos/bundle.sh

release: ## all packages, SHA256SUMS and its signature (VERSION=1.2.3 KEY=release.pem; CERT= and CERT_KEY= sign for Windows)
	@packaging/release.sh "$(VERSION)" "$(KEY)"

test-packages: ## build a release and install it: clean Debian, rpm, tarball, Windows under wine (root on Debian)
	@scripts/test-packages.sh

lint: ## gofmt, go vet, staticcheck, tsc --strict
	@scripts/lint.sh

vuln: ## known vulnerabilities that our code calls (TUBER_VULNDB names a local database)
	@scripts/vuln.sh

soak: build ## browser tests that take long, or were not yet seen green often enough for make test (root)
	@scripts/bench-deps.sh && cd e2e && node --test --test-concurrency=1 --test-timeout=900000 ./*.soak.mjs

fuzz: ## every fuzz target for a minute (FUZZTIME), every property in 3000 random cases (CHECKS)
	@scripts/fuzz.sh

mutants: ## every story of a swarm without its mechanism: it must go red
	@go run ./internal/mutants

bench-proxy: build ## passed-through responses beside nginx and caddy (needs nginx, caddy, wrk)
	@scripts/bench-deps.sh && go run ./bench/proxy

bench-swarm: build ## a booster and four Chromium viewers behind one home line (root)
	@scripts/bench-deps.sh && node bench/swarm/main.mjs

bench-copies: build ## bytes that leave the host, over the stream: browsers, crowds, and p2p-media-loader beside (root)
	@scripts/bench-deps.sh && node bench/rivals/copies.mjs

bench-firstframe: build ## time to the first frame, with Tuber over without: an idle home line, and a saturated one (root)
	@scripts/bench-deps.sh && node bench/rivals/first.mjs

bench-weakline: build ## a weak home line and no booster: who plays, how soon, how long they stand still (root)
	@scripts/bench-deps.sh && node bench/rivals/weakline.mjs

bench-scarcity: build ## stalls and latency where upload is scarce, p2p-media-loader beside (root)
	@scripts/bench-deps.sh && node bench/rivals/scarcity.mjs

bench-continuity: ## chunks that were late or came by HTTP in each story of a swarm
	@scripts/bench-continuity.sh

bench-latency: build ## a low-latency stream in real players: how far behind live, with Tuber and without
	@scripts/bench-deps.sh && node bench/latency/main.mjs

bench-link: ## goodput of a link against bare pion with the same sctp
	@BENCHTIME=$${BENCHTIME:-10x} scripts/bench-ratio.sh link ./peer BenchmarkLink link/bare

bench-plan: ## time of a full plan and of a join or leave, by the real planner
	@go run ./bench/plan

bench-control: ## what control sockets cost a host: CPU and bytes per viewer, on loopback
	@go run ./bench/control

bench-delay: ## chunk delay from the origin to every viewer, simulated through the real planner's trees
	@go run ./bench/delay

bench-efficiency: ## the highest rate at which the planner serves everybody, over the class bound
	@go run ./bench/efficiency

bench-efficiency-real: build ## the least upload, over what all need, at which nobody stalls (root)
	@scripts/bench-deps.sh && node bench/rivals/efficiency.mjs

bench-store: ## reads, and acknowledged writes with the same fsync rhythm, of the store against a plain file
	@BENCHTIME=$${BENCHTIME:-200x} scripts/bench-ratio.sh read ./store BenchmarkReadRatio ratio
	@BENCHTIME=$${BENCHTIME:-200x} scripts/bench-ratio.sh store ./store BenchmarkRatio ratio

bench-app: build ## the desktop program's processor time and memory, hidden and paused (needs Xvfb)
	@scripts/deps.sh && BENCHTIME=1x COUNT=3 scripts/bench-ratio.sh app ./internal/apptest BenchmarkIdle ratio

clean: ## remove what was built
	rm -rf bin dist web/node_modules e2e/node_modules

.PHONY: help demo test build package-linux package-windows package-headless package-macos release test-packages generate lint vuln soak fuzz mutants bench-proxy bench-swarm bench-latency bench-copies bench-firstframe bench-weakline bench-scarcity bench-continuity bench-link bench-plan bench-control bench-delay bench-efficiency bench-efficiency-real bench-store bench-app clean
