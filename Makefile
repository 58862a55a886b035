# Two commands on a fresh machine: `make tune` and `make test`. Everything lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# A recogniser and rounds for a demonstration on two cores; without them the search takes an hour.
SMALL := model.width=64 training.max_frames=16 training.num_epochs=2

.PHONY: tune test check chaos lint docs install install-dev install-docs

tune: install
	$(BIN)/python -m slr_ray.tune --space sslr_thresholds --labelled-per-gloss 2 $(SMALL)

test: install-dev check

# pip, not another installer: only pip finds the CPU build of the pinned torch.
install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev
install-docs: $(VENV)/.installed-docs

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@

# The site goes to site/. Its theme would tell of its successor at every build.
docs: install-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	$(BIN)/python docs/check_site.py site

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests that start Ray run one after another on one worker, the others beside them.
check: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup -m "not chaos"

# Searches on Ray's autoscaler over fake nodes; minutes of waiting for nodes to come and go.
chaos: install-dev
	$(BIN)/python -m pytest tests/chaos
