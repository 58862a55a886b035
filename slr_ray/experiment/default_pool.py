"""The pool where the user names none: clips that really lack a gloss need no hidden labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener

EVERY_LABEL = {"kind": "all"}


def build_with_pool(tree: Mapping[str, Any], origin: str, opener: Opener) -> Experiment:
    """`Opener.build`, with every label where `tree` names no pool and some clips have no gloss."""
    built = opener.build(tree, origin)
    if "pool" in tree or not lacks_glosses(built, opener):
        return built
    return opener.build({**tree, "pool": EVERY_LABEL}, origin)


def lacks_glosses(config: Experiment, opener: Opener) -> bool:
    """Whether there is an unlabelled pool without hiding any label; of folds, in any of them."""
    how = config.split
    splits = how.every() if isinstance(how, FoldsSplitConfig) else [how]
    glosses = opener.corpus(config.data).gloss_index
    trained = (opener.split(config.data, one).training for one in splits)
    return any(bool((glosses[training] == UNLABELLED).any()) for training in trained)
