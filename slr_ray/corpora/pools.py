"""Pools: which training clips keep their label, and which a method sees without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Int64
from pydantic import Field, field_validator

from slr_ray.config import Config
from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.skew import thinned
from slr_ray.errors import ConfigError
from slr_ray.storage import absolute

_NUM_OFFERED = 4
"""Signers of whom the one with most new glosses is taken: more would leave less to chance."""


class _Pool(Config):
    open_data: tuple[str, ...] = ()
    """More pose shards for the unlabelled pool, of glosses that the data lack as a rule: an open
    pool. Their glosses are never read but in audits. In a split by signer, clips of its validation
    and test signers are left out, and so are clips that the data have."""

    @field_validator("open_data")
    @classmethod
    def _absolute(cls, locations: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(absolute(location) for location in locations)
        if len(set(found)) < len(found):
            raise ValueError("a location is listed twice")
        return found


class _HidesLabels(_Pool):
    unlabelled_skew: float | None = Field(None, gt=0)
    """Thin the unlabelled pool until its most frequent gloss has so many times the clips of its
    rarest (γ_u of DASO, arXiv 2106.05682): for experiments on pools that are not distributed as the
    labels are. 1 makes glosses equally frequent; below 1, such as 0.01, those that the corpus has
    most of become the rarest. None leaves the pool as it is. Not for sentences, which have glosses
    of every frequency."""


class FractionPoolConfig(_HidesLabels):
    """A share of the training clips, at random."""

    kind: Literal["fraction"] = "fraction"
    fraction: float = Field(0.1, gt=0, le=1)
    """Of the labelled training clips, rounded, at least one clip."""
    of: Literal["gloss", "corpus"] = "gloss"
    """`gloss`: the share of each gloss's clips, at least one of each, which for small glosses is
    more than the share of the corpus. `corpus`: the share of all of them, one of every gloss first
    where there are enough: 1 % is 1 % then. Sentences are always taken the second way."""


class PerGlossPoolConfig(_HidesLabels):
    """So many clips of every gloss (K-shot), at random: how labels come about by asking for them.

    Glosses with fewer clips give all they have. Not for sentences.
    """

    kind: Literal["per_gloss"] = "per_gloss"
    num_clips: int = Field(3, ge=1)


class SignersPoolConfig(_HidesLabels):
    """All clips of a few training signers: how labels come about where a few people annotate."""

    kind: Literal["signers"] = "signers"
    num_signers: int = Field(2, ge=1)
    """Training signers whose clips are labelled."""


class AllPoolConfig(_Pool):
    """Every label: the fully supervised reference."""

    kind: Literal["all"] = "all"


AnyPoolConfig = FractionPoolConfig | PerGlossPoolConfig | SignersPoolConfig | AllPoolConfig
PoolConfig = Annotated[AnyPoolConfig, Field(discriminator="kind")]


@dataclass(frozen=True)
class Pool:
    """Ascending clip indices; with those that a skew left out they are the training clips.

    `missing_glosses` occur in training but in no labelled clip: a method cannot learn their names.
    """

    labelled: Int64[np.ndarray, " labelled"]
    unlabelled: Int64[np.ndarray, " unlabelled"]
    missing_glosses: tuple[str, ...] = ()
    num_left_out: int = 0
    """Clips that `unlabelled_skew` took out of the unlabelled pool."""

    def with_labelled(self, corpus: Corpus, clips: Int64[np.ndarray, " clips"]) -> Pool:
        """With more labelled clips, from outside of training."""
        labelled = np.union1d(self.labelled, clips)
        known = {corpus.glosses[one] for one in corpus.glosses_in(labelled)}
        missing = tuple(one for one in self.missing_glosses if one not in known)
        return replace(self, labelled=labelled, missing_glosses=missing)


def draw_pool(
    corpus: Corpus,
    training: Int64[np.ndarray, " training"],
    config: AnyPoolConfig,
    seed: int,
    unlabelled_only: Int64[np.ndarray, " unlabelled_only"] | None = None,
) -> Pool:
    """Divide the training clips into labelled and unlabelled, the same way for the same seed.

    Pools nest: with one seed, a larger `fraction`, more clips a gloss, or more signers, contain the
    smaller pool, so a curve over label counts adds labels and exchanges none. Clips of
    `unlabelled_only`, a split's, are never labelled; a pool of signers takes no clip whose signer
    is unknown.

    Raises `ConfigError` where no training clip may be labelled, there are fewer signers than
    asked, or sentences can't be drawn so.
    """
    if corpus.has_sentences:
        _refuse_by_gloss(config)
    known = training[corpus.is_labelled[training]]
    if unlabelled_only is not None:
        known = np.setdiff1d(known, unlabelled_only)
    if not len(known):
        raise ConfigError(
            f"no training clip of {corpus.name} has a gloss: no pool can be labelled. To learn "
            "from clips without one: slr_ray.pretrain"
        )
    match config:
        case FractionPoolConfig(of="gloss") if not corpus.has_sentences:
            labelled = _of_every_gloss(
                corpus, known, seed, lambda count: max(1, round(config.fraction * count))
            )
        case FractionPoolConfig():
            labelled = _of_corpus(corpus, known, config.fraction, seed)
        case PerGlossPoolConfig():
            labelled = _of_every_gloss(corpus, known, seed, lambda _: config.num_clips)
        case SignersPoolConfig():
            labelled = _of_signers(corpus, known, config.num_signers, seed)
        case AllPoolConfig():
            labelled = known
    labelled = np.sort(labelled).astype(np.int64)
    missing = np.setdiff1d(corpus.glosses_in(known), corpus.glosses_in(labelled))
    unlabelled = np.setdiff1d(training, labelled).astype(np.int64)
    kept = unlabelled
    if not isinstance(config, AllPoolConfig) and config.unlabelled_skew is not None:
        frequency = np.bincount(corpus.gloss_index[known], minlength=len(corpus.glosses))
        kept = thinned(
            unlabelled, corpus.gloss_index[unlabelled], frequency, config.unlabelled_skew, seed
        )
    return Pool(
        labelled=labelled,
        unlabelled=kept,
        missing_glosses=tuple(corpus.glosses[one] for one in missing),
        num_left_out=len(unlabelled) - len(kept),
    )


def _refuse_by_gloss(config: AnyPoolConfig) -> None:
    if isinstance(config, PerGlossPoolConfig):
        raise ConfigError(
            "pool.kind=per_gloss: a sentence has many glosses, so that no number of each can be "
            "drawn. Take pool.kind=fraction (of the sentences) or signers"
        )
    if isinstance(config, _HidesLabels) and config.unlabelled_skew is not None:
        raise ConfigError(
            f"pool.unlabelled_skew={config.unlabelled_skew}: sentences can't be thinned gloss by "
            "gloss. Leave it out"
        )


def _of_every_gloss(
    corpus: Corpus, known: np.ndarray, seed: int, how_many: Callable[[int], int]
) -> np.ndarray:
    """So many clips of each gloss as `how_many` says for the number that it has."""
    chosen = []
    for gloss in np.unique(corpus.gloss_index[known]):
        clips = known[corpus.gloss_index[known] == gloss]
        # One order a gloss, cut at a number: that is what makes the pools nest.
        order = np.random.default_rng([seed, int(gloss)]).permutation(np.sort(clips))
        chosen.append(order[: how_many(len(order))])
    return np.concatenate(chosen)


def _of_corpus(corpus: Corpus, known: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """A share of all clips: one order of them, the first with each gloss before all others."""
    order = np.random.default_rng([seed]).permutation(np.sort(known))
    place = np.full(corpus.num_clips, len(order))
    place[order] = np.arange(len(order))
    first = np.full(len(corpus.glosses), len(order))
    np.minimum.at(first, corpus.signed[:, 1], place[corpus.signed[:, 0]])
    is_first = np.isin(np.arange(len(order)), first)
    order = np.concatenate([order[is_first], order[~is_first]])
    return order[: max(1, round(fraction * len(order)))]


def _of_signers(corpus: Corpus, known: np.ndarray, num_signers: int, seed: int) -> np.ndarray:
    """The first signers of a seeded order in which signers with new glosses are preferred.

    Each next signer is, of a few drawn at random, the one who adds most glosses not yet labelled.
    """
    known = known[corpus.signer_index[known] != UNKNOWN_SIGNER]
    glosses_of = {
        int(signer): set(corpus.glosses_in(known[corpus.signer_index[known] == signer]))
        for signer in np.unique(corpus.signer_index[known])
    }
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
