# Every target first runs scripts/bootstrap, which takes about a second when nothing is missing.

.DEFAULT_GOAL := help
.PHONY: help run build test check format lint clean

# make run ARGS="--port 8080"
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, then talk to it: prints the address of the page (ARGS: options of `repartee serve`)
	.build/release/repartee serve $(ARGS)

build: ## packages, llama.cpp, models, then the release binary .build/release/repartee
	scripts/bootstrap
	swift build -c release

test: ## every test: Swift, scripts, a real browser
	scripts/test

check: ## soundness: format, imports, links, scripts (builds nothing)
	scripts/check

format: ## format all Swift files in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests Fuzzing Examples

lint: ## what `format` would change, and more, as errors
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzzing Examples

clean: ## delete build products; the cache outside the checkout stays
	rm -rf .build .build-tests .deps
