"""The pool of a search where the user names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slr_ray.config import read_yaml
from slr_ray.experiment.default_pool import EVERY_LABEL, lacks_glosses, names_pool
from slr_ray.experiment.opener import Opener
from slr_ray.search.spaces.space_file import Space, find_space, load_space, spaces_folder


def space_with_pool(name: str, overrides: Mapping[str, Any], opener: Opener) -> Space:
    """`load_space`, with every label where the user names no pool and some clips have no gloss.

    The pool of a shipped space is not the user's word: it hides labels of a fully labelled corpus,
    so that the method can be tried on it.
    """
    space = load_space(name, overrides, opener)
    path = find_space(name).resolve()
    is_shipped = path.parent == spaces_folder().resolve()
    # `pool` itself says everything.
    named = "pool" in overrides or names_pool(
        dotted.removeprefix("pool.") for dotted in overrides if dotted.startswith("pool.")
    )
    named = named or (not is_shipped and names_pool(read_yaml(path).get("pool", {})))
    if named or not lacks_glosses(space.default, opener):
        return space
    return load_space(name, {**overrides, "pool": dict(EVERY_LABEL)}, opener)
