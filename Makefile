# Everything a newcomer types. `make help` lists it; settings follow on the same line:
#   make demo PYTHON=python3.12     a Python of your choice (3.11 or newer) for a new .venv
#   make demo SYSTEM_TORCH=1        the torch that this Python already has, such as a cluster's CUDA build
#   make demo PROFILE=workstation   on the GPU; without one, two small nets train side by side, which is faster
#   make test ARGS="-k resize -x"   more words for pytest
#   make test JOBS=0                in one process, where a debugger works
# Which build of torch is installed is pip's own configuration: with PIP_EXTRA_INDEX_URL set to the
# CPU index that PyTorch's installation page names, it is the small one without CUDA.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-cluster test-nightly lint environment lock clean distclean

BIN := .venv/bin
PROFILE ?= cpu
ARGS ?=
# One process of tests more than cores: some tests wait for SLURM's clocks.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(min(8, (os.cpu_count() or 1) + 1))')

# The first Python that is new enough; 3.11 leads because the pins were made with it.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$python; break; }; done)

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name says; \
	do printf '  make %-13s %s\n' "$$name" "$$says"; done

demo: environment ## photographs to report in a few minutes, on two CPU cores
	@$(BIN)/snakemake --profile workflow/profiles/$(PROFILE) --quiet rules reason host --config study=demo
	@echo "The report: $(CURDIR)/reports/demo/index.html"

test: environment ## all tests, style and types included
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-nightly: ## the same, with 100 kills at drawn moments; ACUTANCE_KILLS says how many
	@ACUTANCE_KILLS=$${ACUTANCE_KILLS:-100} $(MAKE) --no-print-directory test

test-cluster: environment ## those on a real SLURM alone, which is installed, started and stopped; Debian, root
	@.ci/packages sbatch:slurm-wlm munged:munge
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m cluster tests/cluster $(ARGS)

lint: environment ## only the tests of style, types and layers
	@$(BIN)/python -m pytest tests/test_style.py tests/contracts/test_layers.py $(ARGS)

environment: ## .venv with the pinned packages; done once
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "make: Python 3.11 or newer is needed, found $$($(or $(PYTHON),python3) --version 2>&1 | head -n 1);" \
	"install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python)" \
	"or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) workflow/environment.py $(if $(SYSTEM_TORCH),--system-torch)

lock: ## requirements.txt anew from pyproject.toml
	@$(PYTHON) workflow/environment.py --lock

clean: ## remove caches; results and .venv stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	@find src tests workflow benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## remove .venv too
	@rm -rf .venv
