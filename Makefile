# Everyday commands; `make` alone lists them.

PYTHON ?= python3
IMAGES ?=
PHOTOS ?=

BIN := .venv/bin
READY := .venv/.ready
DEMO := demo
MILVUS := build/milvus

# Through the environment, so that spaces and quotes in a path reach programs as they are.
export IMAGES PHOTOS

.PHONY: help venv scan demo airflow lint test bench bench-matching bench-provenance bench-scale bench-speed peers clean

help:
	@echo "make scan               write a demo folder of photos and copies of them, and find the copies"
	@echo "make scan IMAGES=dir    find the copies among the pictures under dir"
	@echo "make airflow            run Airflow on this machine, with the nightly DAGs, until Ctrl-C"
	@echo "make demo               write the demo folder only ($(DEMO)/)"
	@echo "make test               all that CI checks: lint, types, import rules, tests"
	@echo "make lint               the same without the tests"
	@echo "make bench              how well copies are found; PHOTOS=dir names photos that no model was trained on"
	@echo "make bench-matching     what a scan confirms of copies, end to end; PHOTOS=dir likewise"
	@echo "make bench-provenance   how well the source of copies is told; PHOTOS=dir likewise"
	@echo "make bench-scale        what matching a new image costs among 10,000; PHOTOS=dir with some 3,000 photos"
	@echo "make bench-speed        how fast the built-in model is"
	@echo "make peers              set up the other systems that make bench compares with (several GB)"
	@echo "make venv               set up .venv, as the others do when needed; PYTHON=python3.12 picks a Python"
	@echo "make clean              remove .venv*, the demo folder, build/ and caches; results in \$$RIS_HOME stay"

venv: $(READY)

scan: $(READY) $(if $(IMAGES),,demo)
	@$(BIN)/ris scan -- "$${IMAGES:-$(DEMO)}"

demo: $(READY)
	@[ -d $(DEMO) ] || $(BIN)/ris demo $(DEMO)

airflow: $(READY)
	@$(BIN)/ris airflow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# With a Milvus server to test on, 60 MB to download, where there is one: Linux on x86-64.
test: lint $(if $(RIS_TEST_MILVUS),,$(MILVUS))
	$(BIN)/pytest $(if $(RIS_TEST_MILVUS),,--numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder)

$(MILVUS): | $(READY)
	@$(BIN)/python -m pip install -q --no-deps --only-binary :all: --target $@ milvus==2.3.5 || \
	  { mkdir -p $@; echo "No Milvus server for this machine: what tests one is skipped." >&2; }

bench: $(READY)
	$(BIN)/python -m benchmarks.accuracy $(if $(PHOTOS),-- "$${PHOTOS}")

bench-matching: $(READY)
	$(BIN)/python -m benchmarks.matching $(if $(PHOTOS),-- "$${PHOTOS}")

bench-provenance: $(READY)
	$(BIN)/python -m benchmarks.provenance $(if $(PHOTOS),-- "$${PHOTOS}")

bench-scale: $(READY)
	$(BIN)/python -m benchmarks.matching.scale $(if $(PHOTOS),-- "$${PHOTOS}")

bench-speed: $(READY)
	$(BIN)/python -m benchmarks.speed

peers: $(READY)
	$(call peer,.venv-peers,requirements.txt)
	$(call peer,.venv-peers-fastdup,requirements-fastdup.txt)

# $(call peer,environment,its pins)
define peer
$(BIN)/python -m venv $(1)
$(1)/bin/python -m pip install -q --only-binary :all: -r benchmarks/accuracy/peers/$(2)
endef

clean:
	rm -rf .venv .venv-peers .venv-peers-fastdup $(DEMO) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# The stamp holds the folder it was made in: an environment that was moved or copied would still
# run the programs of the old place.
here := [ "$$(cat $(READY) 2>/dev/null)" = "$$(pwd -P)" ]
ifneq ($(shell $(here) && echo yes),yes)
.PHONY: $(READY)
endif

# Wheels only: nothing is compiled, so no compiler is needed. The pins hold for the build of
# ris-jobs itself too (PIP_CONSTRAINT until pip 25.2, PIP_BUILD_CONSTRAINT since).
$(READY): export PIP_CONSTRAINT := constraints.txt
$(READY): export PIP_BUILD_CONSTRAINT := constraints.txt
$(READY): export PIP_DISABLE_PIP_VERSION_CHECK := 1
$(READY): pyproject.toml constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
	  echo "ris-jobs needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo missing)." \
	       "Name one of them: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@{ $(here) && [ "$$($(BIN)/python -V 2>/dev/null)" = "$$($(PYTHON) -V)" ]; } || \
	  $(PYTHON) -m venv --clear .venv || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; \
	  exit 1; }
	@echo "Setting up .venv. The first time this downloads 3.5 GB, most of it PyTorch, and fills 7 GB of disk."
	@$(BIN)/python -m pip install -q --only-binary :all: -e '.[airflow,bench,cluster,demo,dev,otel,s3,sftp]'
	@pwd -P > $@
