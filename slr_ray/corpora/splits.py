"""Splits: which clips train, which choose between models, and which only measure at the end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Int64
from pydantic import Field, model_validator

from slr_ray.config import Config
from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.folds import FoldsSplitConfig, by_fold
from slr_ray.corpora.sequences import sequence_numbers
from slr_ray.corpora.signers import NUM_TRIES, LabelledSigners
from slr_ray.corpora.split_file import FileSplitConfig, by_file
from slr_ray.errors import ConfigError

_NAMES = ("training", "validation", "test")


class _Fractions(Config):
    test_fraction: float = Field(0.2, gt=0, lt=1)
    """Share of the signers, clips or gloss sequences that only measure the final result."""
    validation_fraction: float = Field(0.2, gt=0, lt=1)
    """Share that chooses epochs, thresholds and configurations."""
    seed: int = Field(0, ge=0)
    """Another seed is another split."""

    @model_validator(mode="after")
    def _leaves_training(self) -> _Fractions:
        if self.test_fraction + self.validation_fraction >= 1:
            raise ValueError("test_fraction and validation_fraction leave nothing for training")
        return self


class SignerSplitConfig(_Fractions):
    """No signer is in two sets: the score is that on people never seen. The one to report.

    Clips of unknown signers may show anybody: they join training, never with a label.
    """

    kind: Literal["signer"] = "signer"


class SentencesSplitConfig(_Fractions):
    """No gloss sequence is in two sets: the score is that on sentences never seen, by known people.

    As the unseen sentences of Isharah (arXiv 2506.03615). For continuous signing only.
    """

    kind: Literal["sentences"] = "sentences"


class ClipSplitConfig(_Fractions):
    """At random by clip, each gloss in its share.

    Leaks: people record a sign many times in a row, and such near-copies land on both sides, so
    scores come out far higher than on a new signer. For comparison with published numbers only.
    Not for sentences.
    """

    kind: Literal["clip"] = "clip"


AnySplitConfig = (
    SignerSplitConfig | SentencesSplitConfig | ClipSplitConfig | FoldsSplitConfig | FileSplitConfig
)
SplitConfig = Annotated[AnySplitConfig, Field(discriminator="kind")]


@dataclass(frozen=True)
class Split:
    """Ascending clip indices of a corpus; disjoint. Only training holds clips without a label.

    `unlabelled_only` are training clips that no pool may label, whatever label they have: in a
    split by signer or fold those of unknown signers, who may be people of validation or test.

    `untrained_glosses` occur in validation or test but in no training clip: no model can get them
    right. No error, for official splits and small corpora are as they are, but worth a warning.
    """

    training: Int64[np.ndarray, " training"]
    validation: Int64[np.ndarray, " validation"]
    test: Int64[np.ndarray, " test"]
    untrained_glosses: tuple[str, ...] = ()
    unlabelled_only: Int64[np.ndarray, " unlabelled_only"] = field(
        default_factory=lambda: np.zeros(0, np.int64)
    )
    num_unlisted: int = 0
    """Clips that a split file does not list: they are nowhere."""
    num_absent: int = 0
    """Clips that a split file lists and the corpus does not have."""

    @property
    def measured(self) -> Int64[np.ndarray, " measured"]:
        """Validation and test clips."""
        return np.concatenate([self.validation, self.test])

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of which clip is where, by index: it means something beside the corpus's own."""
        digest = hashlib.sha256()
        for name in _NAMES:
            clips = getattr(self, name)
            digest.update(f"{name} {len(clips)} ".encode())
            digest.update(clips.astype("<i8").tobytes())
        if len(self.unlabelled_only):
            digest.update(b"unlabelled only" + self.unlabelled_only.astype("<i8").tobytes())
        return digest.hexdigest()


def split_corpus(corpus: Corpus, config: AnySplitConfig) -> Split:
    """The split of `corpus`; the same for the same corpus and configuration.

    Unless a file says, clips without a label join training, where only the unlabelled pool can
    take them; by signer or fold, those of the signers held out are left out, for they would show
    the model the people that it is measured on, and clips of unknown signers are `unlabelled_only`.
    Where no clip has a label, all train.

    Raises `ConfigError` where the corpus is too small for the fractions or can't be divided so,
    `DataError` where a split file can't be used.
    """
    num_unlisted = num_absent = 0
    if isinstance(config, FileSplitConfig):
        listed = by_file(corpus, config.path)
        sets, num_absent = listed.sets, listed.num_absent
        num_unlisted = corpus.num_clips - sum(len(one) for one in sets)
    else:
        if not corpus.is_labelled.any():
            # Nothing can be measured; every clip is there to learn from without a label.
            none = np.zeros(0, np.int64)
            return Split(np.arange(corpus.num_clips), none, none)
        match config:
            case SignerSplitConfig():
                sets = _by_signer(corpus, config)
            case FoldsSplitConfig():
                sets = by_fold(corpus, config)
            case SentencesSplitConfig():
                sets = _by_sequence(corpus, config)
            case ClipSplitConfig():
                sets = _by_clip(corpus, config)
    training, validation, test = (np.sort(one).astype(np.int64) for one in sets)
    unknown = np.zeros(len(training), bool)
    if isinstance(config, SignerSplitConfig | FoldsSplitConfig):
        unknown = corpus.signer_index[training] == UNKNOWN_SIGNER
    held_out = corpus.glosses_in(np.concatenate([validation, test]))
    untrained = np.setdiff1d(held_out, corpus.glosses_in(training[~unknown]))
    return Split(
        training,
        validation,
        test,
        untrained_glosses=tuple(corpus.glosses[one] for one in untrained),
        unlabelled_only=training[unknown],
        num_unlisted=num_unlisted,
        num_absent=num_absent,
    )


def _by_signer(corpus: Corpus, config: _Fractions) -> list[np.ndarray]:
    people = LabelledSigners.of(corpus)
    if len(people.signers) < 3:
        is_unknown = corpus.signer_index == UNKNOWN_SIGNER
        nobody = f" ({is_unknown.sum():,} clips name no signer)" if is_unknown.any() else ""
        other = "sentences" if corpus.has_sentences else "clip"
        raise ConfigError(
            f"{corpus.name} has {len(people.signers)} signers with labelled clips{nobody}; a split "
            f"by signer needs at least 3. Use split.kind={other}, or a file"
        )
    test, validation = _held_out(np.argwhere(people.signed), config, "signers")
    return people.divided(test, validation)


def _by_sequence(corpus: Corpus, config: _Fractions) -> list[np.ndarray]:
    if not corpus.has_sentences:
        raise ConfigError(
            f"split.kind=sentences holds gloss sequences out, and {corpus.name} has isolated "
            "signs. Use split.kind=signer"
        )
    sequence_of = sequence_numbers(corpus)
    num_sequences = int(sequence_of.max()) + 1
    if num_sequences < 3:
        raise ConfigError(
            f"{corpus.name} has {num_sequences} different gloss sequences; split.kind=sentences "
            "needs at least 3"
        )
    clips, glosses = corpus.signed.T
    held_out = _held_out(np.stack([sequence_of[clips], glosses], axis=1), config, "gloss sequences")
    test, validation = (np.flatnonzero(np.isin(sequence_of, part)) for part in held_out)
    rest = np.setdiff1d(np.arange(corpus.num_clips), np.concatenate([test, validation]))
    return [rest, validation, test]


def _held_out(
    signed: Int64[np.ndarray, "signed 2"], config: _Fractions, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """The people, or the sequences, of test and validation; `signed` has the glosses of each.

    Of a few seeded draws, the one with most glosses in training, then in test and validation.
    """
    every = np.unique(signed[:, 0])
    num_test = max(1, round(config.test_fraction * len(every)))
    num_validation = max(1, round(config.validation_fraction * len(every)))
    if num_test + num_validation >= len(every):
        raise ConfigError(
            f"test_fraction={config.test_fraction} and validation_fraction="
            f"{config.validation_fraction} leave none of {len(every)} {what} for training"
        )
    ends = [num_test, num_test + num_validation]
    rows = np.searchsorted(every, signed[:, 0])

    def coverage(order: np.ndarray) -> tuple[int, int]:
        part = np.digitize(np.argsort(order)[rows], ends)
        test, validation, training = (
            int(np.count_nonzero(np.bincount(signed[part == one, 1]))) for one in range(3)
        )
        return training, validation + test

    rngs = (np.random.default_rng([config.seed, attempt]) for attempt in range(NUM_TRIES))
    order = max((rng.permutation(every) for rng in rngs), key=coverage)
    test, validation, _ = np.split(order, ends)
    return test, validation


def _by_clip(corpus: Corpus, config: _Fractions) -> list[np.ndarray]:
    if corpus.has_sentences:
        raise ConfigError(
            f"split.kind=clip divides the clips of each gloss, and those of {corpus.name} are "
            "sentences. Use split.kind=signer, or sentences for sequences never seen"
        )
    rng = np.random.default_rng([config.seed])
    sets: list[list[np.ndarray]] = [[np.flatnonzero(~corpus.is_labelled)], [], []]
    for gloss in range(len(corpus.glosses)):
        clips = rng.permutation(np.flatnonzero(corpus.gloss_index == gloss))
        # A gloss's only clip trains: it could be recognised nowhere else.
        spare = len(clips) - 1
        num_test = min(round(config.test_fraction * len(clips)), spare)
        num_validation = min(round(config.validation_fraction * len(clips)), spare - num_test)
        parts = np.split(clips, [num_test, num_test + num_validation])
        for found, part in zip(sets, (parts[2], parts[1], parts[0]), strict=True):
            found.append(part)
    joined = [np.concatenate(found) for found in sets]
    for name, clips in zip(_NAMES, joined, strict=True):
        if not len(clips):
            raise ConfigError(
                f"the fractions leave no clip for {name}: no gloss of {corpus.name} has enough "
                "clips. Raise the fraction, or use split.kind=signer"
            )
    return joined
