# Two commands on a fresh machine: `make tune` and `make test`. Everything lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: tune test check lint install install-dev

tune: install
	$(BIN)/python -m slr_ray.tune --space sslr_thresholds

test: install-dev check

# pip, not another installer: only pip finds the CPU build of the pinned torch.
install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests that start Ray run one after another on one worker, the others beside them.
check: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup
