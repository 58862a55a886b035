"""The labelled clips in parts, each to be held out once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.folds import assign_folds
from slr_ray.errors import ConfigError
from slr_ray.training.problem import Problem


def label_parts(problem: Problem, num_folds: int, seed: int) -> list[Int[np.ndarray, " part"]]:
    """The labelled clips in parts, without those of glosses that no other part has.

    No signer is in two parts, so that a part is new to the others' models as the unlabelled pool
    is; where one signer has all labels, parts are of clips. `ConfigError` where no clip is left.
    """
    clips, glosses = problem.labelled, problem.glosses(problem.labelled)
    signers = problem.corpus.signer_index[clips].astype(np.int64)
    # Nobody knows whether two of them are one person's.
    unknown = signers == UNKNOWN_SIGNER
    signers[unknown] = len(problem.corpus.signers) + np.arange(unknown.sum())
    _, group = np.unique(signers, return_inverse=True)
    if group.max() == 0:
        group = np.arange(len(clips))
    num_groups = int(group.max()) + 1
    signed = np.zeros((num_groups, problem.num_glosses), np.int64)
    np.add.at(signed, (group, glosses), 1)
    part_of = assign_folds(signed, min(num_folds, num_groups), seed)[group]
    parts = []
    for part in range(num_folds):
        own = part_of == part
        parts.append(clips[own & np.isin(glosses, glosses[~own])])
    if not any(len(part) for part in parts):
        raise ConfigError(
            f"method.calibration is 'folds', but no gloss has labelled clips in two parts of the "
            f"{len(clips)} there are: label more clips of a gloss, by several signers, or set "
            "method.calibration=undo_smoothing"
        )
    return parts
