"""The pool where the user names none: clips that really lack a gloss need no hidden labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener

EVERY_LABEL = {"kind": "all"}


def build_with_pool(tree: Mapping[str, Any], origin: str, opener: Opener) -> Experiment:
    """`Opener.build`, with every label where `tree` names no pool and some clips have no gloss."""
    built = opener.build(tree, origin)
    pool = tree.get("pool", {})
    if names_pool(pool) or not lacks_glosses(built, opener):
        return built
    return opener.build({**tree, "pool": {**pool, **EVERY_LABEL}}, origin)


def names_pool(fields: Iterable[str]) -> bool:
    """Whether a section `pool` with these fields says which labels there are."""
    return not set(fields) <= {"open_data"}


def lacks_glosses(config: Experiment, opener: Opener) -> bool:
    """Whether there is an unlabelled pool without hiding any label; of folds, in any of them."""
    if config.pool.open_data:
        return True
    how = config.split
    splits = how.every() if isinstance(how, FoldsSplitConfig) else [how]
    is_labelled = opener.corpus_of(config).is_labelled
    trained = (opener.split(config.data, one).training for one in splits)
    return any(bool((~is_labelled[training]).any()) for training in trained)
