# make run    the demo: sets everything up by itself, opens the window; without a display, makes a picture of it
# make test   everything that a change must pass
# make elsewhere   a part of it as on another processor
# make soak   random actions in the window for SPLINESCOPE_SOAK_SECONDS, an hour unless told
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
# The program's modules are compiled once, whatever the environment says: tests start it many times.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: run test check elsewhere soak bench pictures clean

BIN := .venv/bin
PYTHON ?= python3
PYTEST := $(BIN)/python -m pytest -p no:xvfb
ON_SCREEN := QT_API=pyside6 QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24"
WINDOW := tests/app/views tests/app/control tests/app/window
FILES := tests/sdf_models tests/app/sweep tests/app/comparison tests/app/commands
SPOT := resources/checkpoints/spot.safetensors
PLANES := --plane x=0 --plane y=0 --plane z=0

run: .venv/installed
	@$(call install,$$($(BIN)/python -m app.display))
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" != Linux ]; \
	then $(BIN)/splinescope open $(SPOT); \
	else mkdir -p out && $(BIN)/splinescope slice $(SPOT) $(PLANES) --out out/spot.png --out out/spot.svg \
	  && $(BIN)/splinescope render $(SPOT) $(PLANES) --out out/spot-surface.png \
	  && $(BIN)/splinescope open $(SPOT) --screenshot out/window.png >/dev/null \
	  && echo "There is no display to open the window on: a picture of it is in out/window.png"; fi

# Kernels, which all tests need, are compiled while the checks run: those of slices and of surfaces, on a core each.
# Two halves of the tests take about as long as each other, and run side by side.  There OpenMP's threads, which spin
# while they wait for each other, would take half of the time.
test: export OMP_WAIT_POLICY := PASSIVE
test: .venv/installed-dev .venv/libraries .venv/xvfb
	@mkdir -p out
	@$(ON_SCREEN) $(BIN)/splinescope open torus --screenshot out/torus.png >/dev/null & \
	  { $(MAKE) --no-print-directory check && $(BIN)/splinescope surface torus --out out/torus.ply >/dev/null; }; \
	  checks=$$?; wait $$! && [ $$checks = 0 ]
	$(ON_SCREEN) sh -c ' \
	  { $(PYTEST) -p no:cacheprovider $(WINDOW); window=$$?; \
	    $(PYTEST) -p no:cacheprovider $(FILES); files=$$?; \
	    $(MAKE) --no-print-directory elsewhere && [ $$window$$files = 00 ]; } >out/window-tests.log 2>&1 & \
	  $(PYTEST) $(WINDOW:%=--ignore=%) $(FILES:%=--ignore=%); others=$$?; \
	  wait $$!; window=$$?; cat out/window-tests.log; [ $$others = 0 ] && [ $$window = 0 ]'

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Last bits of a product of matrices are those of its library's kernel, and compiled code has the instructions of the
# processor.  What must not depend on either is tested once more as on other x86 processors: products with OpenBLAS's
# kernels for one that does not fuse multiplications and additions; a few of the engine's kernels, those that compile in
# seconds, for one without vectors of four.  On other architectures the first name means the library's plainest kernel
# or nothing.  What is left out is large, or has no numbers of its own.
PRODUCTS := coincident_lines duplicate_neurons error_estimate examination exactness network partition plane regions segment
KERNELS := tests/engine/test_vertex_simd.py tests/engine/test_chord_order.py \
  tests/engine/test_duplicate_neurons.py::test_twins_get_one_value_whatever_the_order_of_their_sums \
  tests/engine/test_memory_plan.py::test_chords_cross_as_often_as_their_ends_alternate

elsewhere: .venv/installed-dev
	OPENBLAS_CORETYPE=Nehalem SPLINESCOPE_NETWORKS=1 $(PYTEST) -p no:cacheprovider -q \
	  -k 'not shipped and not trained and not wide and not cancel and not imports and not compiled' \
	  $(PRODUCTS:%=tests/engine/test_%.py)
	NUMBA_CPU_NAME=generic $(PYTEST) -p no:cacheprovider -q $(KERNELS)

# pytest's own log would keep every record, and with an error's traceback all that it knew: a leak of the test.
soak: .venv/installed-dev .venv/libraries .venv/xvfb
	SPLINESCOPE_SOAK_SECONDS=$${SPLINESCOPE_SOAK_SECONDS:-3600} $(ON_SCREEN) \
	  $(PYTEST) -p no:logging -p no:cacheprovider -s tests/app/window/test_soak.py

bench: .venv/installed-dev .venv/libraries .venv/xvfb
	$(ON_SCREEN) $(PYTEST) tests/benchmarks --benchmark-only -s

# The pictures of the README, made by the program itself.
pictures: .venv/installed .venv/libraries .venv/xvfb
	@mkdir -p resources/pictures
	$(BIN)/splinescope slice $(SPOT) $(PLANES) --dpi 160 --out resources/pictures/spot.png
	$(BIN)/splinescope figure $(SPOT) $(PLANES) --layout method --title spot --dpi 118 --out resources/pictures/spot-method.png
	$(BIN)/splinescope stats $(SPOT) --plane z=0 --dpi 160 --out resources/pictures/spot-statistics.png
	$(BIN)/splinescope render $(SPOT) $(PLANES) --size 1200x1000 --out resources/pictures/spot-surface.png
	QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1920x1200x24" $(BIN)/python resources/pictures/make_screenshots.py

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

# pip compiles one file after the other, on one core; some files of packages are not meant to compile.
define pip
$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable $(1)
	@$(BIN)/python -m compileall -q -q -j 0 .venv/lib || true
endef

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(call pip,.)
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(call pip,'.[dev]')
	@touch .venv/installed $@

# What windows of tests need of the system: shared libraries and a font, and a display in memory.
.venv/libraries: .venv/installed
	@$(call install,$$(QT_QPA_PLATFORM=xcb $(BIN)/python -m app.display))
	@touch $@

.venv/xvfb: .venv/installed
	@$(call install,$$({ [ "$$(uname)" != Linux ] || { command -v xvfb-run && command -v xauth; }; } >/dev/null \
	  || echo xvfb xauth))
	@touch $@

# Packages of Debian that are missing: installed where that is allowed, else named.
define install
packages="$(1)" && if [ -z "$$packages" ]; then :; elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	  then apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$packages >/dev/null; \
	  else echo "splinescope: packages are missing; on Debian run: sudo apt-get install $$packages" >&2; exit 1; fi
endef
