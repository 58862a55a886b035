"""What a call lays on a space: over what is searched, and over the space's default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from slr_ray.config import as_tree, merge, set_dotted
from slr_ray.errors import ConfigError
from slr_ray.search.spaces.space import Tree

_MISSING = object()


def lay_on(written: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    """Put overrides into a space as its file has it, in place."""
    for dotted in _in_order(overrides):
        _take_branch(written, dotted, overrides[dotted])
        set_dotted(written, dotted, overrides[dotted])


def over_default(default: Tree, fixed: Tree, overrides: Iterable[str]) -> Tree:
    """A space's default with what overrides fix, so that all arms of a comparison have it.

    `fixed` are the space's plain values, those of overrides among them; one that is searched
    itself leaves the default as it is. Of another kind the default takes what the space says of it.
    """
    for dotted in _in_order(overrides):
        value = _at(fixed, dotted)
        if value is _MISSING:
            continue
        section, _, last = dotted.rpartition(".")
        if last == "kind" and section and _at(default, dotted) != value:
            dotted, value = section, _at(fixed, section)
        default = merge(default, as_tree({dotted: value}))
    return default


def _in_order(overrides: Iterable[str]) -> list[str]:
    """A section before its fields, and its kind first: what its fields mean hangs on it."""
    return sorted(overrides, key=lambda one: (one.count("."), not one.endswith(".kind")))


def _at(tree: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        if not isinstance(tree, Mapping) or part not in tree:
            return _MISSING
        tree = tree[part]
    return tree


def _take_branch(written: dict[str, Any], dotted: str, value: Any) -> None:
    """Where an override names the kind of a branch, put that option in the branch's place.

    In a plain section another kind starts afresh, as in `merge`.
    """
    *parents, last = dotted.split(".")
    above: Any = written
    for depth, parent in enumerate(parents):
        section = above.get(parent)
        if not isinstance(section, Mapping):
            return
        if "choose" in section:
            path = ".".join(parents[: depth + 1])
            if last != "kind" or depth < len(parents) - 1:
                raise ConfigError(
                    f"{dotted}: {path} is a branch; fix its kind as well: {path}.kind=..."
                )
            options = section["choose"] if isinstance(section["choose"], list) else []
            same = [one for one in options if isinstance(one, Mapping) and one.get("kind") == value]
            above[parent] = dict(same[0]) if same else {}
            return
        above = section
    if last == "kind" and above.get("kind", value) != value:
        above.clear()
