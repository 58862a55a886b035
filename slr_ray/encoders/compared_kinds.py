"""Overrides of sections whose kind a comparison sets: which of its kinds each one is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slr_ray.config import alternatives
from slr_ray.errors import ConfigError
from slr_ray.training.pretraining.config import PretrainingConfig


def section_of_kind(
    initialisation: Mapping[str, Any], name: str, kind: str, compared: Sequence[str]
) -> dict[str, Any]:
    """The section `name` of a pre-training as `kind`, one of the kinds `compared`.

    A field that the user gave is for every kind that has it, or only for the one that the user
    named beside it. `ConfigError` where it is for none of those compared.
    """
    dotted = f"initialisation.{name}"
    given = initialisation.get(name, {})
    if not isinstance(given, Mapping):
        raise ConfigError(f"{dotted}: a section, written {dotted}.field=value, got {given!r}")
    fields = {key: value for key, value in given.items() if key != "kind"}
    if "kind" in given:
        if given["kind"] not in compared:
            raise ConfigError(
                f"{dotted}.kind is {given['kind']!r}, which is not compared: there are "
                f"{', '.join(compared)}"
            )
        return {"kind": kind, **(fields if kind == given["kind"] else {})}
    known = alternatives(PretrainingConfig, name)
    have = {one: set(known[one].model_fields) if one in known else set() for one in compared}
    for field in fields:
        if not any(field in own for own in have.values()):
            raise ConfigError(
                f"{dotted}.{field}: no such field in {', '.join(compared)}; there are "
                f"{', '.join(sorted(set().union(*have.values()) - {'kind'}))}"
            )
    return {"kind": kind, **{key: value for key, value in fields.items() if key in have[kind]}}
