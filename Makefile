# Two commands on a fresh machine: `make demo` and `make test`. Each target installs what it needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
WORK   ?= demo

# pytest's closing line must stay visible, so its output is never piped.
PYTEST := $(BIN)/python -m pytest
# One file of tests is one process's, since its tests share what is slow to make.
ABREAST ?= -n logical --maxprocesses 4 --dist loadfile
# Images often switch off what Python compiles once: then pip leaves it out, and each of some hundred commands that the
# tests start compiles all libraries again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-slow test-all fuzz lint types imports docs samples overlays picture wheel clean help

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable '.[etl,s3]' --group test --group lint
	@touch $@

install: $(STAMP) tesseract libarchive ## Make the virtual environment and install everything into it

.PHONY: install tesseract chromium libarchive fonts
fonts: $(STAMP) ## The fonts of the invented screens: without them their tests fail
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    $$($(BIN)/python -c "from ultracurate.phantom.burned.fonts import PACKAGES; print(*PACKAGES)") >/dev/null; \
	  else echo "Install these: $$($(BIN)/python -c 'from ultracurate.phantom.burned.fonts import PACKAGES; print(*PACKAGES)')" >&2; fi

libarchive:
	@$(BIN)/python -c "import libarchive" 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libarchive13 >/dev/null; \
	  else echo "No libarchive: 7z and rar files stay closed. Install it: apt-get install libarchive13, or brew install libarchive." >&2; fi; }

tesseract:
	@tesseract --list-langs 2>&1 | grep -qx eng || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq tesseract-ocr tesseract-ocr-eng >/dev/null; \
	  else echo "Tesseract or its English model is missing. Install it: apt-get install tesseract-ocr, or brew install tesseract." >&2; exit 1; fi; }

chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "No Chromium: the browser tests will be skipped." >&2; fi; }

demo: install ## Run all nine stages on synthetic data served by a local host
	$(BIN)/ultracurate demo --work $(WORK)

test: install ## The fast suite, on all cores up to four
	$(PYTEST) $(ABREAST)

test-cluster: install ## Real Dask processes: equality with serial, a killed worker, a scheduler by address
	$(PYTEST) -m "cluster and not slow"

test-browser: install chromium ## The report in a real browser
	$(PYTEST) -m browser

samples: install ## The real files, where the folder is there
	$(PYTEST) -m "samples and not slow"

test-slow: install ## The long proofs: twenty kills over one run, other numbers of workers, large tables
	$(PYTEST) -m slow

fuzz: install ## Fuzz every decoder for an hour; what is found goes to fuzz-findings/
	$(BIN)/python -m tests.fuzz --seconds 3600

test-all: install chromium ## Everything
	$(PYTEST) -m ""

overlays: install fonts ## Clean 21 invented screens by every method; the table goes to build/overlays.json
	@mkdir -p build
	$(BIN)/ultracurate measure overlays --quick --json > build/overlays.json

picture: install fonts ## Draw the README's picture, and say what each method left in it
	$(BIN)/python docs/generate.py --picture

cover: install ## Coverage of the core
	$(PYTEST) --cov --cov-report=term-missing:skip-covered

lint: install ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy --strict over package and tests
	$(BIN)/mypy

imports: install ## The layers of the house
	$(BIN)/lint-imports

docs: install ## Write the generated pages: stages, datasets, commands
	$(BIN)/python docs/generate.py

wheel: install ## Build the wheel, install it into an empty environment and run it there
	bash .ci/wheel

clean: ## Remove what the targets made
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
