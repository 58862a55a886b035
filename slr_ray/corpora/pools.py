"""Pools: which training clips keep their label, and which a method sees without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Int64
from pydantic import Field

from slr_ray.config import Config
from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED
from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import ConfigError

_NUM_OFFERED = 4
"""Signers of whom the one with most new glosses is taken: more would leave less to chance."""


class FractionPoolConfig(Config):
    """A share of the training clips, at random within each gloss."""

    kind: Literal["fraction"] = "fraction"
    fraction: float = Field(0.1, gt=0, le=1)
    """Of each gloss's labelled training clips, rounded, at least one clip."""


class SignersPoolConfig(Config):
    """All clips of a few training signers: how labels come about where a few people annotate."""

    kind: Literal["signers"] = "signers"
    num_signers: int = Field(2, ge=1)
    """Training signers whose clips are labelled."""


class AllPoolConfig(Config):
    """Every label: the fully supervised reference."""

    kind: Literal["all"] = "all"


PoolConfig = Annotated[
    FractionPoolConfig | SignersPoolConfig | AllPoolConfig, Field(discriminator="kind")
]


@dataclass(frozen=True)
class Pool:
    """Ascending clip indices; together they are the training clips.

    `missing_glosses` occur in training but in no labelled clip: a method cannot learn their names.
    """

    labelled: Int64[np.ndarray, " labelled"]
    unlabelled: Int64[np.ndarray, " unlabelled"]
    missing_glosses: tuple[str, ...] = ()


def draw_pool(
    corpus: Corpus,
    training: Int64[np.ndarray, " training"],
    config: FractionPoolConfig | SignersPoolConfig | AllPoolConfig,
    seed: int,
    unlabelled_only: Int64[np.ndarray, " unlabelled_only"] | None = None,
) -> Pool:
    """Divide the training clips into labelled and unlabelled, the same way for the same seed.

    Pools nest: with one seed, a larger `fraction`, or more signers, contains the smaller pool, so a
    curve over label counts adds labels and exchanges none. Clips of `unlabelled_only`, a split's,
    are never labelled; a pool of signers takes no clip whose signer is unknown.

    Raises `ConfigError` where no training clip may be labelled, or there are fewer signers than
    asked.
    """
    known = training[corpus.gloss_index[training] != UNLABELLED]
    if unlabelled_only is not None:
        known = np.setdiff1d(known, unlabelled_only)
    if not len(known):
        raise ConfigError(
            f"no training clip of {corpus.name} has a gloss: no pool can be labelled. To learn "
            "from clips without one: slr_ray.pretrain"
        )
    if isinstance(config, FractionPoolConfig):
        labelled = _fraction(corpus, known, config.fraction, seed)
    elif isinstance(config, SignersPoolConfig):
        labelled = _of_signers(corpus, known, config.num_signers, seed)
    else:
        labelled = known
    labelled = np.sort(labelled).astype(np.int64)
    missing = np.setdiff1d(corpus.gloss_index[known], corpus.gloss_index[labelled])
    return Pool(
        labelled=labelled,
        unlabelled=np.setdiff1d(training, labelled).astype(np.int64),
        missing_glosses=tuple(corpus.glosses[one] for one in missing),
    )


def _fraction(corpus: Corpus, known: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    chosen = []
    for gloss in np.unique(corpus.gloss_index[known]):
        clips = known[corpus.gloss_index[known] == gloss]
        # One order a gloss, cut at the fraction: that is what makes the pools nest.
        order = np.random.default_rng([seed, int(gloss)]).permutation(np.sort(clips))
        chosen.append(order[: max(1, round(fraction * len(order)))])
    return np.concatenate(chosen)


def _of_signers(corpus: Corpus, known: np.ndarray, num_signers: int, seed: int) -> np.ndarray:
    """The first signers of a seeded order in which signers with new glosses are preferred.

    Each next signer is, of a few drawn at random, the one who adds most glosses not yet labelled.
    """
    known = known[corpus.signer_index[known] != UNKNOWN_SIGNER]
    pairs = np.unique(
        np.stack([corpus.signer_index[known], corpus.gloss_index[known]], axis=1), axis=0
    )
    glosses_of = {int(signer): set(pairs[pairs[:, 0] == signer, 1]) for signer in pairs[:, 0]}
    if num_signers > len(glosses_of):
        raise ConfigError(
            f"pool.num_signers={num_signers}, but only {len(glosses_of)} training signers of "
            f"{corpus.name} have labelled clips"
        )
    rng = np.random.default_rng([seed])
    left = sorted(glosses_of)
    chosen: list[int] = []
    covered: set[int] = set()
    while len(chosen) < num_signers:
        offered = rng.permutation(left)[:_NUM_OFFERED].tolist()
        best = max(offered, key=lambda signer: len(glosses_of[signer] - covered))
        chosen.append(best)
        covered |= glosses_of[best]
        left.remove(best)
    return known[np.isin(corpus.signer_index[known], chosen)]
