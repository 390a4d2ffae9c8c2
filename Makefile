# Targets for people and CI alike; `make help` lists them.
GO        ?= go
BIN       := bin/kindred
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
SOURCES   := $(shell find cmd identity ingest profiles segments api deploy -name '*.go' -o -name '*.sql' -o -name '*.tmpl' -o -name '*.json' -o -name '*.gz') go.mod go.sum
PACKAGES  := ./...
FUZZTIME  ?= 20s
TIMEOUT   ?= 25m
# -short leaves out long tests in which nothing runs beside anything else, but for
# goroutines that a shorter test runs too.
SHORT     ?=
# More flags of go test, for the suites.
TESTFLAGS ?=
# Rounds of the chaos suite, on the embedded broker and on a real one.
ROUNDS    ?= 28
KAFKA_ROUNDS ?= 6
# Lint tools are built from the versions pinned in .ci/tools.mod, and read packages as
# make test compiles them.
LINT      := .cache/golangci-lint

.PHONY: demo up build test race lint lint-api fuzz bench bench-packages figures verify help clean test-kafka chaos test-sdk
.DEFAULT_GOAL := help

demo: ## Load real customers and serve them; stays up until Ctrl-C
	@begin=$$(date +%s); $(MAKE) --no-print-directory $(BIN); \
	 echo "build: $$(( $$(date +%s) - begin )) s"
	@$(BIN) demo $(ARGS)

up: $(BIN) ## Start Kindred with all its roles on the data folder
	@$(BIN) up $(ARGS)

build: $(BIN) ## Build bin/kindred

$(BIN): $(SOURCES)
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/kindred

test: ## All tests, against the embedded engines (a real ClickHouse)
	KINDRED_REQUIRE_SERVICES=1 CGO_ENABLED=0 $(GO) test $(TESTFLAGS) -timeout $(TIMEOUT) $(PACKAGES)

# Packages of which some file uses the broker run whole. Most tests of cmd start a Kindred
# with a broker of its own instead, and run here only where their file uses this one.
KAFKA_PACKAGES = $(sort $(dir $(shell grep -rl 'enginetest\.Kafka' --include=*_test.go ./ingest ./identity ./api)))
KAFKA_TESTS    = $(shell cat $$(grep -rl 'enginetest\.Kafka' --include=*_test.go ./cmd) | grep -oE '^func Test[A-Za-z0-9_]+' | cut -c6- | paste -sd '|' -)

test-kafka: $(BIN) ## Every suite that uses Kafka, and chaos, on a real Apache Kafka (needs Java 17, Maven)
	deploy/kafkatest/with-kafka.sh sh -c 'export KINDRED_REQUIRE_SERVICES=1 CGO_ENABLED=0; \
	  $(GO) test -count=1 $(SHORT) $(TESTFLAGS) -timeout $(TIMEOUT) $(KAFKA_PACKAGES) && \
	  $(GO) test -count=1 $(TESTFLAGS) -timeout $(TIMEOUT) -run "^($(or $(KAFKA_TESTS),$(error no test of cmd uses the broker)))$$" ./cmd/kindred && \
	  $(BIN) chaos --rounds $(KAFKA_ROUNDS)'

chaos: $(BIN) ## Kill and pause processes under load ROUNDS times, then count (ARGS="--seed N" replays)
	$(BIN) chaos --rounds $(ROUNDS) $(ARGS)

race: ## The tests under the race detector (needs a C compiler)
	KINDRED_REQUIRE_SERVICES=1 KINDRED_TEST_COUNT=$${KINDRED_TEST_COUNT:-100} CGO_ENABLED=1 $(GO) test -race $(SHORT) $(TESTFLAGS) -timeout $(TIMEOUT) $(PACKAGES)

test-sdk: $(BIN) ## Official npm clients, unchanged, while Kindred is killed (Node.js 20, Chromium)
	KINDRED_TEST_SDK=1 KINDRED_TEST_BINARY=$(CURDIR)/$(BIN) KINDRED_REQUIRE_SERVICES=1 CGO_ENABLED=0 $(GO) test -count=1 -timeout $(TIMEOUT) ./deploy/sdktest

lint: $(LINT) ## Formatting, vet, and the rules of .golangci.yml
	CGO_ENABLED=0 $(LINT) run ./...
	CGO_ENABLED=0 $(GO) vet ./...

lint-api: .cache/apilint/installed ## api/openapi.json against the rules of deploy/apilint (Node.js 20)
	.cache/apilint/node_modules/.bin/redocly lint api/openapi.json --config deploy/apilint/redocly.yaml --format stylish

# npm installs by the lock file, once for each version of it, and runs no script.
.cache/apilint/installed: deploy/apilint/package.json deploy/apilint/package-lock.json
	@mkdir -p .cache/apilint && cp $^ .cache/apilint/
	cd .cache/apilint && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(LINT): .ci/tools.mod .ci/tools.sum
	@mkdir -p .cache
	$(GO) build -modfile=.ci/tools.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# One build for all targets of a package. A crasher lands in its testdata/fuzz, and the
# corpus stays in .cache.
fuzz: ## Each fuzz target for FUZZTIME (default 20s)
	@set -e; mkdir -p .cache; for dir in $$(grep -rl --include=*_test.go '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
	  $(GO) test -c -fuzz Fuzz -o .cache/fuzz.test $$dir; \
	  for target in $$(cat $$dir/*_test.go | grep -oE '^func Fuzz[A-Za-z0-9_]+' | cut -c6-); do \
	    echo "$$target in $$dir"; \
	    (cd $$dir && $(CURDIR)/.cache/fuzz.test -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) -test.fuzzminimizetime 10x \
	      -test.fuzzcachedir $(CURDIR)/.cache/fuzz/$$dir); \
	  done; done

bench: $(BIN) ## The figures of this machine: ingest, intake, whole system, freshness, flood (some 25 min)
	$(BIN) bench all $(ARGS)

bench-packages: ## The benchmarks of every package, with the work described
	KINDRED_REQUIRE_SERVICES=1 $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m $(PACKAGES)

figures: ## Visits, venues, sentiment, linkage, propensity and segments against their truth (KINDRED_GEO_DATA: folder of the check-ins; KINDRED_IDENTITY_DATA: of records held out; KINDRED_SCORES_DATA: of the shoppers; KINDRED_BEHAVIOUR_DATA: of the click stream)
	KINDRED_REQUIRE_SERVICES=1 CGO_ENABLED=0 $(GO) test -count=1 -v -run 'TestVisits$$|TestGowalla|TestSentimentOn|TestQuality$$|TestHeldOut|TestTelco|TestShoppers|TestOnlineRetail$$|TestRetentioneering' ./ingest/clickhouse ./profiles/venues ./ingest/language ./identity/linkage ./profiles/propensity ./segments/sql

verify: ## Everything with full counts: lint, tests, race, fuzz
	$(MAKE) lint
	KINDRED_TEST_COUNT=20000 TIMEOUT=60m $(MAKE) test
	KINDRED_TEST_COUNT=1000 TIMEOUT=60m $(MAKE) race
	$(MAKE) fuzz

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

clean: ## Remove what was built; the data folder stays
	rm -rf bin .cache
