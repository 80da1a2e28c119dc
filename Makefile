# Sets the environment up, then calls the `course` command. `make help` lists the targets.
#   PYTHON=python3.12 make lectures     uses another interpreter than python3
SHELL := /bin/bash
PYTHON ?= python3
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
REQUIREMENTS := requirements.txt requirements-jax.txt

.PHONY: help setup lectures test site sandbox browser lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make lectures   set up, fetch the data, run the lectures in their quick size'
	@echo 'make test       set up and run the tests'
	@echo 'make site       set up and build the site, build/site/html/index.html'
	@echo 'make sandbox    install bubblewrap, which course grade needs (Debian and Ubuntu, as root)'
	@echo 'make browser    install Chromium, in which tests look at the site (Debian and Ubuntu, as root)'
	@echo 'make setup      set up only: .venv with the locked packages'
	@echo 'make lock       resolve the locked requirements again from pyproject.toml'
	@echo 'make clean      remove .venv and build (downloaded data stays in its cache)'

setup: .venv/complete

# `complete` is written last: an interrupted set-up is taken up again where it stopped.
.venv/complete: $(REQUIREMENTS) pyproject.toml
	@PYTHON='$(PYTHON)' BIN='$(BIN)' bash course/setup.sh $(REQUIREMENTS)
	@touch $@

lectures: setup
	@$(BIN)/course data
	@$(BIN)/course run --quick

test: setup sandbox browser
	@$(BIN)/course data
	@$(BIN)/ruff check && $(BIN)/ruff format --check
	KERAS_BACKEND=jax $(BIN)/python -m pytest tests/utils
	$(BIN)/python -m pytest

# What grading runs hand-ins in. Where it cannot be installed, the tests that need it are skipped and say so.
sandbox:
	@bash course/sandbox.sh

# What tests look at the site in. Where it cannot be installed, they are skipped and say so.
browser:
	@bash course/browser.sh

site: setup
	@$(BIN)/python site/build.py

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url --no-emit-find-links

lock: setup
	$(COMPILE) pyproject.toml --extra test --extra benchmark --extra cluster --extra site \
		--output-file requirements.txt
	echo jax | $(COMPILE) - --constraint requirements.txt --output-file requirements-jax.txt

clean:
	rm -rf .venv build
