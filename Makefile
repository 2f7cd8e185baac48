# Huying. On a fresh machine (Debian 12 or Ubuntu, Python 3.11 or newer) `make demo` and `make test` are all it takes.
# DATABASE_URL set: demo and tests use that PostgreSQL server; else an embedded one below var/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PY := .venv/bin/python
HUYING := .venv/bin/huying
WORKERS ?= 2
ARGS ?=

export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo demo-reset test check bench browser format lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|' 2>/dev/null \
	  || grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST)

setup: ## the Python environment .venv, from the lock file with its hashes
	@tools/setup

demo: setup ## five cities with made-up cases (CITY=huzhou-2016 for one); prints the address and who can sign in
	@exec $(HUYING) demo $(if $(CITY),--city "$(CITY)") $(ARGS)

demo-reset: setup ## the demo from the beginning: deletes its data first
	@exec $(HUYING) demo --reset $(if $(CITY),--city "$(CITY)") $(ARGS)

browser: setup ## a chromium for the browser tests, when there is none
	@$(PY) tools/browser.py

test: setup ## every test, the slow and the browser ones too (ARGS="-k word" for some)
	@mkdir -p var && rm -f var/test-status
	@HUYING_CHROMIUM=$$($(PY) tools/browser.py) && export HUYING_CHROMIUM && \
	  { $(PY) -m pytest -n $(WORKERS) $(ARGS); status=$$?; echo $$status > var/test-status; exit $$status; }

check: setup ## all that must hold before a commit, in under a minute
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(HUYING) policy check
	$(HUYING) docs --check
	$(PY) -m pytest -n $(WORKERS) -m "not slow and not browser" -q

format: setup ## what ruff can put right by itself
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup ## measure with 10,000 and 100,000 cases (docs/performance.md)
	@exec $(HUYING) bench $(ARGS)

lock: ## write the lock files anew (ARGS=--upgrade takes newer versions)
	@tools/lock $(ARGS)
