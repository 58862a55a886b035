"""Where an experiment's clips come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, assert_never

from pydantic import Field, field_validator

from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, open_embedded
from slr_ray.corpora.embedded.sentences import EmbeddedSentencesConfig, open_embedded_sentences
from slr_ray.corpora.glosses import OfSomeGlosses, restricted
from slr_ray.errors import DataError
from slr_ray.storage import absolute

# Every command with an experiment takes overrides; not all have the option.
_SKIP = "data.skip_broken=true"
_SKIP_IN_PYTHON = "skip_broken=True to slr_ray.open_corpus"


class ShardsConfig(OfSomeGlosses):
    """The user's own poses."""

    kind: Literal["shards"] = "shards"
    location: str
    """A Parquet file, a folder of them, or a cloud URI."""
    skip_broken: bool = False
    """Leave unusable clips out and list them, instead of stopping at the first; those of extra
    and open data as well."""

    @field_validator("location")
    @classmethod
    def _absolute(cls, location: str) -> str:
        return absolute(location)


DataConfig = Annotated[
    EmbeddedConfig | EmbeddedSentencesConfig | ShardsConfig, Field(discriminator="kind")
]


def open_data(data: DataConfig, how_to_skip: str = _SKIP) -> Corpus:
    """The corpus, mapped from this machine's cache, which is filled where it lacks it.

    `how_to_skip` is what an error tells users to pass.
    """
    match data:
        case EmbeddedConfig():
            corpus = open_embedded(data)
        case EmbeddedSentencesConfig():
            corpus = open_embedded_sentences(data)
        case ShardsConfig():
            corpus = open_shards(
                data.location, skip_broken=data.skip_broken, how_to_skip=how_to_skip
            )
        case _:
            assert_never(data)
    return replace(restricted(corpus, data.glosses), data=data)


def open_corpus(location: str | Path | None = None, *, skip_broken: bool = False) -> Corpus:
    """The clips in pose shards; without a location those of the embedded, synthetic corpus.

    >>> corpus = slr_ray.open_corpus()
    >>> corpus.num_clips > 1000, len(corpus.glosses)
    (True, 12)
    >>> corpus.clip(0).positions.shape[1:]
    (54, 2)

    `location` is a Parquet file, a folder of them, or a cloud URI. With `skip_broken`, unusable
    clips are listed in `corpus.skipped`; else the first one raises `DataError`.
    """
    if location is None:
        return open_data(EmbeddedConfig())
    # An empty text would be the current folder, and another type a file of that name.
    if not isinstance(location, str | Path) or location == "":
        told = "empty" if location == "" else f"of type {type(location).__name__}"
        raise DataError(
            f"the location of pose shards is {told}: give a Parquet file, a folder of them, or a "
            "cloud URI; slr_ray.write_shard makes one of clips"
        )
    config = ShardsConfig(location=str(location), skip_broken=skip_broken)
    return open_data(config, _SKIP_IN_PYTHON)


def open_extra(location: str, data: DataConfig) -> Corpus:
    """A corpus that is learnt from without glosses; `data`'s way with broken clips is its own."""
    if isinstance(data, ShardsConfig):
        return open_shards(location, skip_broken=data.skip_broken, how_to_skip=_SKIP)
    return open_shards(location, how_to_skip=f"--data and {_SKIP}")
