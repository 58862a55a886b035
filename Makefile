# Two commands on a fresh machine: `make tune` and `make test`. Everything lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# A recogniser and rounds for a demonstration on two cores; without them the search takes an hour.
# Draws of so few labels differ by 20 points, hence ten of them.
SMALL := model.width=64 training.max_frames=16 training.num_epochs=2

# On a machine with a GPU: the environment if there is one, else a Python that has torch.
GPU_PYTHON ?= $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON))
# What such a machine may lack when it has torch, numpy, pyarrow, scipy and scikit-learn.
WHEELS ?= pydantic pydantic-core annotated-types typing-inspection typing-extensions jaxtyping \
	wadler-lindig filelock pyyaml rich markdown-it-py mdurl pygments kaldialign
WHEELS_PYTHON ?= 3.12

.PHONY: tune test check chaos lint docs gpu gpu-wheels install install-dev install-docs

tune: install
	$(BIN)/python -m slr_ray.tune --space sslr_thresholds --num-trials 6 \
		--labelled-per-gloss 3 --seeds 10 $(SMALL)

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

# Tests that start Ray come first; each has a cluster of its own, or shares its file's.
check: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup -m "not chaos"

# Searches on fake nodes that come and go, and processes that are lost; minutes of waiting.
chaos: install-dev
	$(BIN)/python -m pytest -m chaos

# Everything that needs a GPU, within eight minutes and without a network. Wheels that were brought
# along are put first.
gpu:
	test ! -d .wheels || $(GPU_PYTHON) -m pip install --quiet --disable-pip-version-check \
		--no-index --no-deps --upgrade --target .wheels/site .wheels/*.whl
	PYTHONPATH=.wheels/site:. $(GPU_PYTHON) -m benchmarks.gpu --out reports/$$(date +%F)-gpu.md

# For x86-64 Linux, on a machine that has a network, to be carried along with the checkout.
gpu-wheels:
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --dest .wheels \
		-c constraints.txt --no-deps --only-binary=:all: --implementation cp \
		--python-version $(WHEELS_PYTHON) --platform manylinux_2_28_x86_64 \
		--platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 $(WHEELS)
