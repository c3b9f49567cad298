# Two commands: `make run` opens the page, `make test` runs every check.
# Both make .venv on first use and are quick afterwards.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check
# torch from PyTorch's own index of CPU builds where it can be reached, so that no CUDA packages come
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH   = $(shell grep '^torch==' constraints.txt)

.PHONY: run test lint format types system clean help fuzz audit

run: $(VENV)/.installed  ## open the page at http://127.0.0.1:7860, with the demo episode on the first start
	@$(BIN)/earmark serve $(ARGS)

test: $(VENV)/.installed-test system lint types  ## run every check (ARGS="-k name" chooses tests)
	@demo=$$(mktemp -d) && trap 'rm -rf "$$demo"' EXIT && export DEMO_DIR=$$demo; \
	$(BIN)/python -m pytest -m "not sound" -n auto --maxprocesses 4 $(ARGS) || [ $$? = 5 ] || exit 1; \
	$(BIN)/python -m pytest -m sound $(ARGS) || [ $$? = 5 ]  # 5: ARGS chose none of these

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed-test
	$(BIN)/mypy

format: $(VENV)/.installed-test  ## let ruff mend what it can
	$(BIN)/ruff check --fix .

system:  ## what the tests need beyond Python: Chromium and a sound server
	@sh tests/system.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Earmark needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: $(VENV)/bin/python constraints.txt
	@$(BIN)/python -c 'import torch, sys; sys.exit(torch.__version__.split("+")[0] != "$(TORCH)".split("==")[1])' 2>/dev/null \
	  || $(PIP) install -q --retries 0 --timeout 10 --index-url $(TORCH_INDEX) --no-deps "$(TORCH)" 2>/dev/null \
	  || $(PIP) install -q "$(TORCH)"
	@touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml
	@echo "Installing Earmark into $(VENV) (once; a few minutes) ..."
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed pyproject.toml
	$(PIP) install -q -c constraints.txt -e '.[test]'
	@touch $@

MINUTES ?= 5

fuzz: $(VENV)/.installed-test  ## feed broken files and requests to every reader (MINUTES=60 for an hour)
	$(BIN)/python -m tests.fuzz.readers $(MINUTES)

audit: $(VENV)/.installed-test  ## look for known weaknesses in what is installed (asks the network)
	$(PIP) install -q pip-audit
	$(BIN)/python -m pip_audit --skip-editable

clean:  ## remove .venv and what the tools left
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis build *.egg-info

help:
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'
