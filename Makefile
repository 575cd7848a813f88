# make suites: the benchmark and its report. make test: the project's own tests. make check: ruff and mypy.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/installed

.PHONY: suites test check install
.DELETE_ON_ERROR:

suites: $(INSTALLED)
	$(BIN)/python -m pytest suites/

test: $(INSTALLED)
	$(BIN)/python -m pytest --cov=gaugeblock --cov=bench --cov=reference

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch $@
