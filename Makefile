# Everything here works on a fresh clone with nothing but Python (3.10 or later) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint docs docs-check site verify clean

# Findings and fixes are what the examples are for (exit 1); an error of the tool is not (exit 2).
demo: $(VENV)/installed
	@$(BIN)/tensorlint check --certainty likely examples || test $$? -eq 1
	@echo
	@$(BIN)/tensorlint check --certainty likely --diff --unsafe-fixes examples || test $$? -eq 1

test: $(VENV)/installed-test $(VENV)/installed-verify
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy --strict tensorlint

docs: $(VENV)/installed
	$(BIN)/python tools/tabulate_rules.py
	$(BIN)/python tools/document_rules.py
	$(BIN)/python tools/document_claims.py
	$(BIN)/python tools/document_configuration.py
	$(BIN)/python tools/document_gallery.py
	$(BIN)/python tools/document_limits.py
	$(BIN)/python tools/document_quality.py

# Pages that are written by tools are what they would be; what the others show is run; no link is dead.
docs-check: $(VENV)/installed-verify
	$(BIN)/python tools/tabulate_rules.py --check
	$(BIN)/python tools/document_rules.py --check
	$(BIN)/python tools/document_claims.py --check
	$(BIN)/python tools/document_configuration.py --check
	$(BIN)/python tools/document_gallery.py --check
	$(BIN)/python tools/document_limits.py --check
	$(BIN)/python tools/document_quality.py --check
	$(BIN)/python tools/check_links.py
	$(BIN)/python tools/check_docs.py
	$(BIN)/tensorlint verify docs/gallery --device cpu --device sim

# The documentation as a site, in build/site. Needs no network once its tools are installed.
site: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python tools/check_links.py build/site

# Runs every fixture program with torch, on the CPU and on the simulated accelerator, then the knowledge tables.
verify: $(VENV)/installed-verify
	@mkdir -p build
	$(BIN)/tensorlint verify --device cpu --device sim --record build/verified.json
	$(BIN)/python tools/proved.py build/verified.json
	$(BIN)/tensorlint verify --knowledge

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@

$(VENV)/installed-verify: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --editable '.[verify]'
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@
