"""The reference of the configuration, from the pydantic classes: each class once, linked by use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from pydantic import BaseModel

from slr_ray.evaluation.perturbations import Perturbations
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.presets.presets import PRESETS
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.videos.detection.config import ExtractionConfig

Schema: TypeAlias = dict[str, Any]

ROOTS: dict[str, type[BaseModel]] = {
    "An experiment": Experiment,
    "The section `search` of a search space": SearchConfig,
    "Extraction": ExtractionConfig,
    "Robustness": Perturbations,
}
_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def configuration_page() -> str:
    """The whole page, in Markdown."""
    text = (
        "# Configuration\n\nAn override of a command, a field of a YAML file and a parameter of a "
        "search space have the same name: the dotted path of its section and field. An alternative "
        "is chosen by its `kind`: `method.selection.kind=threshold`.\n\n"
    )
    for heading, root in ROOTS.items():
        schema = root.model_json_schema()
        text += f"## {heading}\n\n" + _table(schema)
        for name, used in _uses(schema).items():
            below = schema["$defs"][name]
            kind = below["properties"].get("kind", {}).get("const")
            first, *others = sorted(used, key=lambda path: path.count("."))
            title = f"{first}: {kind}" if kind else first
            text += f"### {title} {{ #{name.lower()} }}\n\n"
            text += f"{below.get('description', '')}\n\n" + _table(below)
            if others:
                text += f"Also for {', '.join(f'`{path}`' for path in others)}.\n\n"
    return text + _presets()


def paths(root: type[BaseModel]) -> set[str]:
    """Every dotted path that an override may name."""
    schema = root.model_json_schema()

    def below(node: Schema, prefix: str) -> Iterator[str]:
        for field, value in node["properties"].items():
            yield prefix + field
            for name in _sections(value):
                yield from below(schema["$defs"][name], f"{prefix}{field}.")

    return set(below(schema, ""))


def _sections(value: Schema) -> dict[str, str]:
    """The classes that a field may hold, and the kinds by which it tells them apart."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return {name: name}
    if "discriminator" in value:
        mapping = value["discriminator"]["mapping"]
        return {reference.rpartition("/")[2]: kind for kind, reference in mapping.items()}
    choices = value.get("anyOf", []) + value.get("oneOf", [])
    return {name: kind for one in choices for name, kind in _sections(one).items()}


def _uses(schema: Schema) -> dict[str, list[str]]:
    """Where each class below the root is used, the first use first."""
    found: dict[str, list[str]] = {}

    def walk(node: Schema, prefix: str) -> None:
        for field, value in node["properties"].items():
            for name in _sections(value):
                seen = name in found
                found.setdefault(name, []).append(prefix + field)
                if not seen:
                    walk(schema["$defs"][name], f"{prefix}{field}.")

    walk(schema, "")
    return found


def _table(schema: Schema) -> str:
    fields = {name: one for name, one in schema["properties"].items() if name != "kind"}
    if not fields:
        return ""
    rows = "".join(
        f"| `{name}` | {_values(value)} | {_default(value)} | {_cell(value)} |\n"
        for name, value in fields.items()
    )
    return f"| field | values | default | meaning |\n|---|---|---|---|\n{rows}\n"


def _cell(value: Schema) -> str:
    return " ".join(value.get("description", "").split()).replace("|", "\\|")


def _values(value: Schema) -> str:
    sections = _sections(value)
    if sections:
        links = [f"[{kind}](#{name.lower()})" for name, kind in sections.items()]
        return ", ".join(links + ["none"] * ({"type": "null"} in value.get("anyOf", [])))
    if "anyOf" in value:
        return " or ".join(_values(one) for one in value["anyOf"])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if value.get("type") == "array":
        return f"list of {_values(value['items'])}" if "items" in value else "list"
    limits = [f"{sign} {value[key]:g}" for key, sign in _LIMITS.items() if key in value]
    named = {"null": "none", "boolean": "`true`, `false`"}.get(value.get("type", ""))
    return named or ", ".join([value.get("type", "any"), *limits])


def _default(value: Schema) -> str:
    if "default" not in value:
        return "*required*"
    default = value["default"]
    if isinstance(default, dict) and _sections(value):
        return f"`{default['kind']}`" if "kind" in default else ""
    return f"`{json.dumps(default)}`" if default is not None else "none"


def _presets() -> str:
    rows: dict[str, dict[str, Any]] = {}
    for preset, tree in PRESETS.items():
        for path, value in _leaves(tree, ""):
            rows.setdefault(path, {})[preset] = value
    text = (
        "## Presets\n\nWhat `preset` lays over the defaults; empty: the default stays.\n\n"
        f"| field | {' | '.join(f'`{one}`' for one in PRESETS)} |\n|---|{'---|' * len(PRESETS)}\n"
    )
    for path, by_preset in rows.items():
        cells = [f"`{by_preset[one]}`" if one in by_preset else "" for one in PRESETS]
        text += f"| `{path}` | {' | '.join(cells)} |\n"
    return text


def _leaves(tree: Schema, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
