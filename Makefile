# make run    the demo: sets everything up by itself
# make test   everything that a change must pass
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run test check bench pictures clean

BIN := .venv/bin
PYTHON ?= python3
SPOT := resources/checkpoints/spot.safetensors
PLANES := --plane x=0 --plane y=0 --plane z=0

run: .venv/installed
	@mkdir -p out
	$(BIN)/splinescope slice $(SPOT) $(PLANES) --out out/spot.png --out out/spot.svg

test: check
	$(BIN)/python -m pytest

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only -s

# The pictures of the README, made by the program itself.
pictures: .venv/installed
	@mkdir -p resources/pictures
	$(BIN)/splinescope slice $(SPOT) $(PLANES) --dpi 160 --out resources/pictures/spot.png

clean:
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache
	find app engine sdf_models tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "splinescope: $(PYTHON) is missing; install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "splinescope: $(PYTHON) is older than 3.11; run: make PYTHON=/path/to/newer/python"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	  then apt-get update && apt-get install -y --no-install-recommends python3-venv; \
	  else echo "splinescope: python3-venv is missing; run: sudo apt-get install python3-venv"; exit 1; fi; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch .venv/installed $@
