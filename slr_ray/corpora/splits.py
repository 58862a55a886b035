"""Splits: which clips train, which choose between models, and which only measure at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64
from pydantic import Field, field_validator, model_validator

from slr_ray.config import Config
from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.folds import FoldsSplitConfig, by_fold
from slr_ray.corpora.signers import NUM_TRIES, LabelledSigners
from slr_ray.errors import ConfigError, DataError
from slr_ray.storage import absolute
from slr_ray.text import normal_name, read_table, split_name

_NAMES = ("training", "validation", "test")


class _Fractions(Config):
    test_fraction: float = Field(0.2, gt=0, lt=1)
    """Share of the signers, or clips, that only measure the final result."""
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


class ClipSplitConfig(_Fractions):
    """At random by clip, each gloss in its share.

    Leaks: people record a sign many times in a row, and such near-copies land on both sides, so
    scores come out far higher than on a new signer. For comparison with published numbers only.
    """

    kind: Literal["clip"] = "clip"


class FileSplitConfig(Config):
    """As a file says, such as a benchmark's official split."""

    kind: Literal["file"] = "file"
    path: Path
    """CSV or Parquet with columns clip_id and split (training, validation, test, or what people
    call them: train, val, valid, dev; in any case)."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return Path(absolute(str(path)))


AnySplitConfig = SignerSplitConfig | ClipSplitConfig | FoldsSplitConfig | FileSplitConfig
SplitConfig = Annotated[AnySplitConfig, Field(discriminator="kind")]


@dataclass(frozen=True)
class Split:
    """Ascending clip indices of a corpus; disjoint. Only training holds clips without a gloss.

    `unlabelled_only` are training clips that no pool may label, whatever gloss they have: in a
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

    By signer, fold or clip, clips without a gloss join training, where only the unlabelled pool can
    take them; by signer or fold, those of the signers held out are left out, for they would show
    the model the people that it is measured on, and clips of unknown signers are `unlabelled_only`.
    Where no clip has a gloss, all train.

    Raises `ConfigError` where the corpus is too small for the fractions, `DataError` where a split
    file is unreadable, incomplete or names what is not there.
    """
    if isinstance(config, FileSplitConfig):
        sets = _by_file(corpus, config.path)
    else:
        if not (corpus.gloss_index != UNLABELLED).any():
            # Nothing can be measured; every clip is there to learn from without a gloss.
            none = np.zeros(0, np.int64)
            return Split(np.arange(corpus.num_clips), none, none)
        match config:
            case SignerSplitConfig():
                sets = _by_signer(corpus, config)
            case FoldsSplitConfig():
                sets = by_fold(corpus, config)
            case ClipSplitConfig():
                sets = _by_clip(corpus, config)
    training, validation, test = (np.sort(one).astype(np.int64) for one in sets)
    unknown = np.zeros(len(training), bool)
    if isinstance(config, SignerSplitConfig | FoldsSplitConfig):
        unknown = corpus.signer_index[training] == UNKNOWN_SIGNER
    trained = corpus.gloss_index[training[~unknown]]
    held_out = corpus.gloss_index[np.concatenate([validation, test])]
    untrained = np.setdiff1d(held_out, trained)
    return Split(
        training,
        validation,
        test,
        untrained_glosses=tuple(corpus.glosses[one] for one in untrained),
        unlabelled_only=training[unknown],
    )


def _by_signer(corpus: Corpus, config: _Fractions) -> list[np.ndarray]:
    """Of a few seeded draws, the one with most glosses in training, then in test and validation."""
    people = LabelledSigners.of(corpus)
    signers, signed = people.signers, people.signed
    if len(signers) < 3:
        is_unknown = corpus.signer_index == UNKNOWN_SIGNER
        nobody = f" ({is_unknown.sum():,} clips name no signer)" if is_unknown.any() else ""
        raise ConfigError(
            f"{corpus.name} has {len(signers)} signers with labelled clips{nobody}; a split by "
            "signer needs at least 3. Use split.kind=clip, or a file"
        )
    num_test = max(1, round(config.test_fraction * len(signers)))
    num_validation = max(1, round(config.validation_fraction * len(signers)))
    if num_test + num_validation >= len(signers):
        raise ConfigError(
            f"test_fraction={config.test_fraction} and validation_fraction="
            f"{config.validation_fraction} leave none of {len(signers)} signers for training"
        )
    ends = [num_test, num_test + num_validation]

    def coverage(order: np.ndarray) -> tuple[int, int]:
        test, validation, training = (
            int(signed[part].any(axis=0).sum()) for part in np.split(order, ends)
        )
        return training, validation + test

    rngs = (np.random.default_rng([config.seed, attempt]) for attempt in range(NUM_TRIES))
    order = max((rng.permutation(signers) for rng in rngs), key=coverage)
    test, validation, _ = np.split(order, ends)
    return people.divided(test, validation)


def _by_clip(corpus: Corpus, config: _Fractions) -> list[np.ndarray]:
    rng = np.random.default_rng([config.seed])
    sets: list[list[np.ndarray]] = [[np.flatnonzero(corpus.gloss_index == UNLABELLED)], [], []]
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


def _by_file(corpus: Corpus, path: Path) -> list[np.ndarray]:
    numbers = {
        normal_name(clip_id): index for index, clip_id in enumerate(corpus.clip_ids.to_pylist())
    }
    # An official split lists the clips of all glosses, `data.glosses` or not.
    every = {normal_name(clip_id) for clip_id in corpus.all_clip_ids.to_pylist()}
    sets: dict[str, list[int]] = {name: [] for name in _NAMES}
    seen: set[str] = set()
    for clip_id, name in _rows(path):
        chosen = split_name(name)
        if chosen is None:
            raise DataError(
                f"{path}: clip {clip_id!r} has split {name!r}; there are training (or train), "
                "validation (or val, valid, dev) and test"
            )
        if clip_id not in every:
            raise DataError(
                f"{path}: clip {clip_id!r} is not in {corpus.name} "
                f"(whose first is {corpus.clip_ids[0].as_py()!r})"
            )
        if clip_id in seen:
            raise DataError(f"{path}: clip {clip_id!r} is listed twice")
        seen.add(clip_id)
        if clip_id not in numbers:
            continue
        if chosen != "training" and corpus.gloss_index[numbers[clip_id]] == UNLABELLED:
            raise DataError(f"{path}: clip {clip_id!r} is in {chosen} but has no gloss")
        sets[chosen].append(numbers[clip_id])
    for name, found in sets.items():
        if not found:
            raise DataError(f"{path} puts no clip into {name}")
    return [np.array(sets[name], np.int64) for name in _NAMES]


def _rows(path: Path) -> Iterable[tuple[str, str]]:
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            columns: Sequence[str] = table.column_names
            rows = table.to_pylist() if {"clip_id", "split"} <= set(columns) else []
        else:
            columns, rows = read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read the split file {path}: {error}") from None
    missing = {"clip_id", "split"} - set(columns)
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(sorted(missing))} "
            f"(it has {', '.join(sorted(columns)) or 'none'})"
        )
    return [(normal_name(str(row["clip_id"])), str(row["split"])) for row in rows]
