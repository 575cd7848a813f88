# make suites: the benchmark and its report. make test: the project's own tests, all of them.
# make coverage: those that may run side by side, and which lines they miss.
# make quick: lint, types, and the tests that run no framework. make check: lint and types.
# make oldest, make newest: `pytest suites/` on the oldest or newest releases inside the ranges of pyproject.toml.
PYTHON ?= python3
VENV ?= .venv
# processes that run tests in parallel
WORKERS ?= 2
BIN = $(VENV)/bin
INSTALLED = $(VENV)/installed
# the extras of pyproject.toml that are installed
EXTRAS ?= all,dev
# options of pip that say where wheels come from: --extra-index-url URL, or --find-links FOLDER
WHEELS ?=
# options of `pytest suites/`; `make oldest` and `make newest` run it with --smoke unless you set it
RUN ?=
QUICK = $(addprefix tests/,cells contender noise reference report store tolerance \
	test_arrows.py test_cache.py test_inputs.py test_pages.py test_tree.py)
# each worker process would otherwise compile every module again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: suites test coverage quick check install oldest newest
.DELETE_ON_ERROR:

suites: $(INSTALLED)
	$(BIN)/python -m pytest suites/ $(RUN)

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not timed" -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest -m timed

# tracing takes twice the time, before Python 3.12 more
coverage: $(INSTALLED)
	COVERAGE_CORE=sysmon $(BIN)/python -m pytest -m "not timed" -n $(WORKERS) --dist loadfile \
		--no-loadscope-reorder --cov=gaugeblock --cov=bench --cov=reference

quick: check
	$(BIN)/python -m pytest -q -m "not timed" -n $(WORKERS) --dist loadfile $(QUICK)

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(WHEELS) -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

# uv, because pip cannot resolve to the oldest releases. UV_TORCH_BACKEND=cpu avoids the CUDA builds of torch
oldest: RESOLUTION = lowest-direct
newest: RESOLUTION = highest
oldest newest: BIN = $(VENV)-$@/bin
oldest newest:
	$(PYTHON) -m venv --clear $(VENV)-$@
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --resolution $(RESOLUTION) -e '.[all]'
	$(BIN)/python -m pytest suites/ $(or $(RUN),--smoke)
