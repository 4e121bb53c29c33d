# Two commands on a fresh machine: `make demo` shows the ledger at work, `make test` runs every check.
# `make help` lists the rest. Build results go outside the checkout (scripts/env).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO := . scripts/env && cargo
DIR ?=

.PHONY: help setup build demo test fmt clippy unit doc deny bank-year property-long conformance dashboards-check mutate-invariants mutants iso4217 retry-storm

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 20

setup: ## install what building needs and this machine lacks
	@scripts/setup

build: setup ## build every program
	@$(CARGO) build --locked --workspace --bins

demo: build ## a ledger from nothing: events over gRPC, export, verification, tampering found
	@. scripts/env && "$$CARGO_TARGET_DIR/debug/ledger" demo

test: setup fmt clippy unit doc deny ## everything that must hold before a change is merged

fmt: setup
	@$(CARGO) fmt --all --check

clippy: setup
	@$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

# The programs come with the features that the tests' dependencies add: one set of compiled crates for both.
unit: setup ## tests of all crates, with the programs they start
	@$(CARGO) build --locked --workspace --bins --tests
	@$(CARGO) test --locked --workspace

doc: setup
	@. scripts/env && RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

deny: setup ## licences, sources, bans and known advisories of all dependencies
	@scripts/deny

bank-year: build ## a real bank's year imported, exported, verified, with kills; DIR=path keeps the export
	@scripts/bank-year $(if $(DIR),"$(DIR)")

property-long: setup ## random commands, core against the naive model; COMMANDS=10000000 SEED=1
	@. scripts/env && LEDGER_PROPERTY_COMMANDS=$(or $(COMMANDS),10000000) LEDGER_PROPERTY_SEED=$(or $(SEED),1) \
		cargo test --locked -p ledger-property-tests --test core_against_model -- --nocapture core_and_model

conformance: build ## files of a running server checked by openssl, Python and Go tools
	@scripts/conformance

dashboards-check: build ## every dashboard panel against a real Prometheus and a server under load
	@scripts/dashboards-check

retry-storm: setup ## 100,000 events of 64 clients, half sent again across a kill: the books of one copy each
	@. scripts/env && LEDGER_STORM_EVENTS=$${LEDGER_STORM_EVENTS:-100000} cargo test --locked --workspace --test server -- --nocapture events_sent_again

mutate-invariants: setup ## each invariant of the write path: break it, and its test must fail
	@command -v python3 >/dev/null || scripts/install-packages "Python applies the changes" python3
	@. scripts/env && python3 scripts/mutate-invariants

mutants: setup ## every guard, counter and posting of the rules changed once, and a test must fail; PART=regex JOBS=n
	@command -v python3 >/dev/null || scripts/install-packages "Python applies the changes" python3
	@. scripts/env && python3 scripts/mutants "$(or $(PART),.)"

iso4217: setup ## the pinned table of currencies written anew from the crate that lists them
	@scripts/iso4217
