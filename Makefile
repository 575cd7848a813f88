# make suites: the benchmark and its report. make test: the project's own tests. make check: ruff and mypy.
# make oldest, make newest: `pytest suites/` on the oldest or newest releases inside the ranges of pyproject.toml.
PYTHON ?= python3
VENV ?= .venv
# processes that run tests side by side
WORKERS ?= 2
BIN = $(VENV)/bin
INSTALLED = $(VENV)/installed
# to pip, where its wheels come from: --extra-index-url URL, or --find-links FOLDER
WHEELS ?=
# to `make oldest` and `make newest`: what of the suites runs
RUN ?= --smoke
# workers are processes, each of which would compile every module again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: suites test check install oldest newest
.DELETE_ON_ERROR:

suites: $(INSTALLED)
	$(BIN)/python -m pytest suites/

test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not timed" -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
		--cov=gaugeblock --cov=bench --cov=reference
	$(BIN)/python -m pytest -m timed

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(WHEELS) -c constraints.txt -e '.[all,dev]'
	touch $@

# uv, since pip knows no way to the oldest. UV_TORCH_BACKEND=cpu spares it the CUDA builds of torch
oldest: RESOLUTION = lowest-direct
newest: RESOLUTION = highest
oldest newest: BIN = $(VENV)-$@/bin
oldest newest:
	$(PYTHON) -m venv --clear $(VENV)-$@
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --resolution $(RESOLUTION) -e '.[all]'
	$(BIN)/python -m pytest suites/ $(RUN)
