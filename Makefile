# make demo and make test need git, make and Python 3.11 or later; everything else is installed into .venv.
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
# What is installed beside the package: EXTRAS=dev,spark adds the Spark engine (it needs Java 17 or later).
EXTRAS ?= dev
# Only used where the system has no OpenMP library of its own; see `openmp` below.
export LD_LIBRARY_PATH := $(CURDIR)/.venv/openmp$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help demo test lint bench results docs lock openmp

help:  ## show this help
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed and was not found."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@$(MAKE) --no-print-directory openmp
	@touch $@

# LightGBM needs the system's OpenMP (Debian: libgomp1); where it is missing, scikit-learn's own copy serves.
openmp:
	@$(BIN)/python -c "import ctypes; ctypes.CDLL('libgomp.so.1')" 2>/dev/null || { \
		mkdir -p .venv/openmp && \
		ln -sf $$(ls $(CURDIR)/.venv/lib/python3*/site-packages/scikit_learn.libs/libgomp*) .venv/openmp/libgomp.so.1; }

demo: .venv/installed  ## train, promote, score and explain on the simulated DACH vendor
	$(BIN)/hva demo

test: .venv/installed  ## run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/installed  ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed  ## what we claim, measured: one table per benchmark
	$(BIN)/python -m benchmarks.main_job --size small
	$(BIN)/python -m benchmarks.trust --size small
	$(BIN)/python -m benchmarks.features --size small
	$(BIN)/python -m benchmarks.incremental --size small
	$(BIN)/python -m benchmarks.honest --size small
	$(BIN)/python -m benchmarks.leaks --size small
	$(BIN)/python -m benchmarks.calibration --size small
	$(BIN)/python -m benchmarks.models --size small
	$(BIN)/python -m benchmarks.lifetime --size small
	$(BIN)/python -m benchmarks.tuning --size small
	$(BIN)/python -m benchmarks.negative_control --size small
	$(BIN)/python -m benchmarks.scoring --size small
	$(BIN)/python -m benchmarks.explain --size small
	$(BIN)/python -m benchmarks.advise --size small
	$(BIN)/python -m benchmarks.serving --size small
	$(BIN)/python -m benchmarks.sinks --size small
	$(BIN)/python -m benchmarks.explain_composite --size small
	$(BIN)/python -m benchmarks.explain_accounts --size small

results: .venv/installed  ## the results table of the README, from real data (HVA_DATASETS)
	$(BIN)/python -m benchmarks.main_job --pipeline online_retail --readme

docs: .venv/installed  ## write the generated pages of docs/
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_benchmarks.py

lock:  ## renew constraints.txt (needs uv)
	uv pip compile pyproject.toml --extra dev --extra spark --universal --python-version 3.11 --no-annotate --no-header \
		--no-emit-index-url -o constraints.txt
