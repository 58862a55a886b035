"""The pool where the user names none: clips that really lack a gloss need no hidden labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slr_ray.config import read_yaml
from slr_ray.corpora.corpus import UNLABELLED
from slr_ray.experiment.experiment import Experiment, experiment, open_corpus, open_split
from slr_ray.search.space_file import Space, find_space, load_space, spaces_folder

_ALL = {"kind": "all"}


def space_with_pool(name: str, overrides: Mapping[str, Any]) -> Space:
    """`load_space`, with every label where the user names no pool and some clips have no gloss.

    The pool of a shipped space is not the user's word: it hides labels of a fully labelled corpus,
    so that the method can be tried on it.
    """
    space = load_space(name, overrides)
    path = find_space(name).resolve()
    is_shipped = path.parent == spaces_folder().resolve()
    named = any(dotted.split(".")[0] == "pool" for dotted in overrides)
    named = named or (not is_shipped and "pool" in read_yaml(path))
    if named or not _lacks_glosses(experiment(space.default_tree(), space.name)):
        return space
    return load_space(name, {**overrides, "pool": _ALL})


def experiment_with_pool(tree: Mapping[str, Any], origin: str) -> Experiment:
    """`experiment`, with every label where `tree` names no pool and some clips have no gloss."""
    built = experiment(tree, origin)
    if "pool" in tree or not _lacks_glosses(built):
        return built
    return experiment({**tree, "pool": _ALL}, origin)


def _lacks_glosses(config: Experiment) -> bool:
    """Whether there is an unlabelled pool without hiding any label."""
    training = open_split(config.data, config.split).training
    return bool((open_corpus(config.data).gloss_index[training] == UNLABELLED).any())
