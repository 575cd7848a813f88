# make suites: the benchmark and its report. make test: the project's own tests. make check: ruff and mypy.
PYTHON ?= python3
VENV ?= .venv
# processes that run tests side by side
WORKERS ?= 2
BIN = $(VENV)/bin
INSTALLED = $(VENV)/installed
# workers are processes, each of which would compile every module again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: suites test check install
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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $@
