"""The workflow of the public forge runs our commands, on every Python that the metadata names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
JOB = yaml.safe_load((CHECKOUT / ".github/workflows/ci.yml").read_text())["jobs"]["make"]
METADATA = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]


def test_runs_targets_that_the_makefile_has() -> None:
    matrix = JOB["strategy"]["matrix"]
    targets = {*matrix["target"], *(one["target"] for one in matrix["include"])}
    assert targets == {"test", "tune", "docs"}
    makefile = (CHECKOUT / "Makefile").read_text()
    assert all(re.search(f"^{target}:", makefile, re.MULTILINE) for target in targets)
    assert "make ${{ matrix.target }}" in [step.get("run") for step in JOB["steps"]]


def test_pythons_are_those_of_the_metadata() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [one.removeprefix(prefix) for one in METADATA["classifiers"] if one.startswith(prefix)]
    assert JOB["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in named]
    assert METADATA["requires-python"] == f">={JOB['strategy']['matrix']['python'][0]}"


def test_licence_is_the_one_that_is_named() -> None:
    assert METADATA["license"] == "Apache-2.0"
    assert "Apache License" in (CHECKOUT / "LICENSE").read_text()[:200]
    citation = yaml.safe_load((CHECKOUT / "CITATION.cff").read_text())
    assert citation["license"] == METADATA["license"]
    assert (CHECKOUT / "slr_ray/py.typed").is_file()
