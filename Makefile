# Two commands: `make run` opens the page, `make test` runs every check.
# Both make .venv on first use and are quick afterwards.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
# processes that test side by side: one more than there are cores, since many wait for servers, and at most four
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')

BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check
# torch from PyTorch's own index of CPU builds where it can be reached, so that no CUDA packages come
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH   = $(shell grep '^torch==' constraints.txt)

# what starts a hundred processes is a third slower where each of them compiles the program anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint format types system clean help fuzz audit scripts wheel addon man test-home test-long

run: $(VENV)/.installed  ## open the page at http://127.0.0.1:7860, with the demo episode on the first start
	@$(BIN)/earmark serve $(ARGS)

# tests marked so ($(1)), those that play and record alone afterwards; 5: ARGS chose none of them
define pytest
	@demo=$$(mktemp -d) && trap 'rm -rf "$$demo"' EXIT && export DEMO_DIR=$$demo; \
	$(BIN)/python -m pytest -m "not sound and $(1)" -n $(WORKERS) $(ARGS) || [ $$? = 5 ] || exit 1; \
	$(BIN)/python -m pytest -m "sound and $(1)" $(ARGS) || [ $$? = 5 ]
endef

test: $(VENV)/.installed-test system  ## run every check but the long ones (ARGS="-k name" chooses tests)
	@$(MAKE) --no-print-directory -j3 lint types scripts
	$(call pytest,not long)

test-long: $(VENV)/.installed-test system  ## run the tests that 'make test' leaves out
	$(call pytest,long)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed-test
	$(BIN)/mypy

scripts:  ## check the page's scripts: types out of JSDoc, linter, unit tests (needs Node.js 20 or newer)
	@if ! command -v npm >/dev/null 2>&1; then echo "The page's scripts are not checked: install Node.js 20 or newer."; \
	elif [ ! -d tests/page/node_modules ] && ! npm ci --prefix tests/page --no-audit --no-fund --silent; then \
	  echo "The page's scripts are not checked: npm could not fetch what checks them."; \
	else cd tests/page && npm run -s types && npm run -s lint && npm -s test -- --test-reporter=dot; fi

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

wheel: $(VENV)/.installed  ## build a wheel into dist/, for 'pipx install dist/earmark-*.whl'
	@rm -rf build dist
	$(PIP) wheel -q --no-deps --wheel-dir dist .

addon: wheel  ## put together the Home Assistant add-on in dist/home-assistant
	@cp -r packaging/home-assistant dist/home-assistant
	@cp dist/earmark-*.whl constraints.txt dist/home-assistant/earmark/
	@echo "Copy dist/home-assistant/earmark to /addons of Home Assistant; docs/home-assistant.md says how to go on."

man: $(VENV)/.installed-test  ## write the man pages into dist/man (read one: man dist/man/earmark.1)
	@mkdir -p dist/man && $(BIN)/click-man --target dist/man earmark

test-home: $(VENV)/.installed-test  ## ask through a real Home Assistant (HASS_PYTHON=python3.13; takes minutes, once)
	$(BIN)/python -m tests.home.home_assistant

clean:  ## remove .venv and what the tools left
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist *.egg-info

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'
