"""Folds by signer: every labelled clip of a known signer is tested once, by people's own fold."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Int, Int64
from pydantic import Field, model_validator

from slr_ray.config import Config
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.signers import NUM_TRIES, LabelledSigners
from slr_ray.errors import ConfigError

_JITTER = 0.3
"""Spread of the logarithm by which a signer's number of clips is shaken before it gives a turn."""


class FoldsSplitConfig(Config):
    """One fold of a cross-validation by signer: its people are tested, a part of the rest chooses.

    Over the folds every labelled clip of a known signer is tested once, so that the score is about
    all people of the corpus and not about the few that one split holds out. Clips of unknown
    signers join training in every fold, never with a label.
    """

    kind: Literal["folds"] = "folds"
    num_folds: int = Field(5, ge=2)
    fold: int = Field(0, ge=0)
    """The one whose signers are tested, counted from 0."""
    validation_fraction: float = Field(0.2, gt=0, lt=1)
    """Share of the signers of the other folds that chooses epochs, thresholds and configurations.
    They are drawn within the fold: another fold has others."""
    seed: int = Field(0, ge=0)
    """Another seed is another division into folds; of few signers often the same one, as the most
    even of a few draws is taken."""

    @model_validator(mode="after")
    def _exists(self) -> FoldsSplitConfig:
        if self.fold >= self.num_folds:
            raise ValueError(
                f"fold {self.fold} of num_folds {self.num_folds}: folds are counted from 0"
            )
        return self

    def every(self) -> list[FoldsSplitConfig]:
        """All folds of this division."""
        return [self.model_copy(update={"fold": one}) for one in range(self.num_folds)]


def by_fold(corpus: Corpus, config: FoldsSplitConfig) -> list[Int64[np.ndarray, " clips"]]:
    """Training, validation and test clips of one fold; the three have no signer in common.

    Raises `ConfigError` where there are fewer signers than folds, or too few beside a fold.
    """
    people = LabelledSigners.of(corpus)
    signers, signed = people.signers, people.signed
    if len(signers) < config.num_folds:
        raise ConfigError(
            f"split.num_folds={config.num_folds}, but {corpus.name} has {len(signers)} signers "
            "with labelled clips; take fewer folds"
        )
    fold_of = assign_folds(signed[signers], config.num_folds, config.seed)
    tested, rest = signers[fold_of == config.fold], signers[fold_of != config.fold]
    num_validation = max(1, round(config.validation_fraction * len(rest)))
    if num_validation >= len(rest):
        raise ConfigError(
            f"{len(tested)} of {len(signers)} signers are tested in fold {config.fold} of "
            f"{config.num_folds}, and split.validation_fraction={config.validation_fraction} "
            f"leaves none of the other {len(rest)} for training"
        )
    rng_seed = [config.seed, config.num_folds, config.fold]
    chosen = rest[_validation(signed[rest], num_validation, config.validation_fraction, rng_seed)]
    return people.divided(tested, chosen)


def assign_folds(
    signed: Int64[np.ndarray, "signers glosses"], num_folds: int, seed: int
) -> Int64[np.ndarray, " signers"]:
    """The fold of each signer, of whom `signed` counts the clips of each gloss.

    Of a few seeded draws the one in which most clips have their gloss outside their own fold, too;
    of equals, the one whose folds differ least in clips. In a draw each signer, the largest first
    up to a little chance, joins the fold that has fewest clips so far.
    """
    sizes = signed.sum(axis=1)

    def draw(attempt: int) -> Int64[np.ndarray, " signers"]:
        rng = np.random.default_rng([seed, num_folds, attempt])
        turn = np.argsort(-np.log(sizes) + _JITTER * rng.standard_normal(len(sizes)))
        fold_of = np.full(len(sizes), -1, np.int64)
        clips = np.zeros(num_folds, np.int64)
        # Its first signers go one to each fold, so that none stays empty beside a huge one.
        for place, signer in enumerate(turn):
            fold = place if place < num_folds else int(clips.argmin())
            fold_of[signer] = fold
            clips[fold] += sizes[signer]
        return fold_of

    def quality(fold_of: Int64[np.ndarray, " signers"]) -> tuple[int, int]:
        held = np.stack([signed[fold_of == fold].sum(axis=0) for fold in range(num_folds)])
        taught = held.sum(axis=0) > held
        return int(held[taught].sum()), -int(np.ptp(held.sum(axis=1)))

    return max((draw(attempt) for attempt in range(NUM_TRIES)), key=quality)


def _validation(
    signed: Int64[np.ndarray, "rest glosses"], num_validation: int, share: float, seed: list[int]
) -> Int[np.ndarray, " validation"]:
    """Places of the signers who validate.

    Of a few seeded draws the one with most glosses left in training; of equals, the one that
    validates many glosses with little more or less than its share of the clips, for every clip
    more would be one less to learn from.
    """
    wanted = share * float(signed.sum())

    def draw(attempt: int) -> Int[np.ndarray, " validation"]:
        return np.random.default_rng([*seed, attempt]).permutation(len(signed))[:num_validation]

    def quality(chosen: Int[np.ndarray, " validation"]) -> tuple[int, float]:
        is_held: Bool[np.ndarray, " rest"] = np.isin(np.arange(len(signed)), chosen)
        held, taught = signed[is_held], signed[~is_held]
        covered = float(held.any(axis=0).mean())
        return int(taught.any(axis=0).sum()), covered - abs(float(held.sum()) / wanted - 1)

    return max((draw(attempt) for attempt in range(NUM_TRIES)), key=quality)
