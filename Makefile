# Two commands from nothing: `make demo` and `make test`. Everything goes into .venv here.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# collection, duplicates, pictures_pass, quality_gates, copied_photos or planted_labels; the last
# three want a directory of photographs in ARGS.
BENCH ?= collection
# The stamp is newer than what it was made from, or set-up runs again.
INSTALLED := $(VENV)/.installed

.PHONY: help install demo test bench twelve-weeks lint format clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

install: $(INSTALLED) ## Install REDS and WordNet into .venv (skipped when up to date).

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "REDS needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt -e '.[fast,heic,postgres,s3,dev]'
	$(BIN)/python -m reds_pipeline.lexicon.install_wordnet
	@touch $@

demo: install ## Run the whole pipeline against an instance inside this process (ARGS="--photos DIR" for real photos).
	$(BIN)/reds demo $(ARGS)

test: install ## Run every test, on all cores.
	$(BIN)/python -m reds_pipeline_tests.install_chromium
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

bench: install ## Run one measurement (BENCH=collection; benchmarks/README.md names the others).
	$(BIN)/python -m benchmarks.$(BENCH) $(ARGS)

twelve-weeks: install ## Let the daemon live through twelve weeks of a changing instance (about ten minutes).
	$(BIN)/python -m benchmarks.twelve_weeks $(ARGS)

lint: install ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## Put the code into its format.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what was installed and built here; data in .reds stays.
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
