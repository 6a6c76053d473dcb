# `make` alone prints this help.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(p) 2>/dev/null)))
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

.PHONY: help setup setup-dev run test check format bench soak screenshots gallery lock install rollback uninstall clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Sexton needs Python 3.11 or newer; try: make setup PYTHON=/path/to/python3.11"; exit 2; }
	@echo "creating $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing the locked dependencies (hashes checked)"
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing the locked development tools (hashes checked)"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.run ## create .venv with .venv/bin/sexton in it

setup-dev: $(VENV)/.dev ## the same, with the tools for check, test and bench

run: setup ## set everything up and bill real flights while you watch (Ctrl-C stops it)
	@$(BIN)/sexton demo

check: setup-dev ## lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Tests wait for processes a third of their time, so half as many again as there are cores keep these busy.
TESTERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores + (cores + 1) / 2)))

test: setup-dev ## all tests, on a PostgreSQL of their own
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadgroup tests

format: setup-dev ## format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup-dev ## measure against peers and limits (BENCH=name for one)
	@$(BIN)/python -m bench $(BENCH)

soak: setup-dev ## the kill tests, long
	@$(BIN)/python -m pytest -m soak -o addopts= -s tests/system

screenshots: setup-dev ## take the pictures of docs/screenshots anew (needs chromium)
	@$(BIN)/python -m tests.daemon.admin.browser.screenshots

gallery: setup-dev ## take the pictures of docs/mails/ anew (needs chromium and an emoji font)
	@$(BIN)/python -m tests.mails.gallery

lock: setup-dev ## resolve the dependencies anew (needs uv)
	@uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock
	@uv pip compile pyproject.toml --group build --group dev --group bench --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet -c requirements.lock -o requirements-dev.lock

# Of the service: PREFIX=/opt, DESTDIR= to stage it elsewhere, PYTHON= one outside home directories.
PREFIX  ?= /opt
DESTDIR ?=
DEPLOY   = PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" PYTHON="$(PYTHON)" systemd/deploy.sh

install: ## install or upgrade the systemd service (as root)
	@$(DEPLOY) install

rollback: ## back to the release of the service before this one (as root)
	@$(DEPLOY) rollback

uninstall: ## remove the service; DELETE_DATA=yes removes its database and configuration too
	@$(DEPLOY) uninstall $(if $(filter yes,$(DELETE_DATA)),--delete-data)

clean: ## remove the virtual environment and caches (never the database)
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
