"""An experiment: one full configuration, from data to method."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from slr_ray.augmentation.config import AugmentationConfig, StrongAugmentation
from slr_ray.config import Config, build, merge
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.corpora.embedded import EmbeddedConfig, open_embedded
from slr_ray.corpora.pools import FractionPoolConfig, Pool, PoolConfig, draw_pool
from slr_ray.corpora.splits import SignerSplitConfig, Split, SplitConfig, split
from slr_ray.errors import ConfigError, DataError
from slr_ray.methods.presets import PRESETS, Preset
from slr_ray.methods.sslr import SslrConfig
from slr_ray.methods.supervised import SupervisedConfig
from slr_ray.models.spoter import SpoterConfig
from slr_ray.poses.normalisation import NormalisationConfig, SigningSpace, num_channels
from slr_ray.storage import absolute
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem

# A change of code that changes what training gives must change this, so that old stages are not
# taken for new ones.
_STAGE_VERSION = 2


class ShardsConfig(Config):
    """The user's own poses."""

    kind: Literal["shards"] = "shards"
    location: str
    """A Parquet file, a folder of them, or a cloud URI."""
    skip_broken: bool = False
    """Leave unusable clips out and list them, instead of stopping at the first."""

    @field_validator("location")
    @classmethod
    def _absolute(cls, location: str) -> str:
        return absolute(location)


DataConfig = Annotated[EmbeddedConfig | ShardsConfig, Field(discriminator="kind")]
Method = Annotated[SslrConfig | SupervisedConfig, Field(discriminator="kind")]


class Experiment(Config):
    """Everything that one result depends on, except the seed. Build it with `experiment`."""

    preset: Preset = "modern"
    """What the other sections start from: `published` or `modern`."""
    data: DataConfig = EmbeddedConfig()
    split: SplitConfig = SignerSplitConfig()
    pool: PoolConfig = FractionPoolConfig()
    normalisation: NormalisationConfig = SigningSpace()
    augmentation: AugmentationConfig = StrongAugmentation()
    model: SpoterConfig = SpoterConfig()
    training: TrainingConfig = TrainingConfig()
    method: Method = SslrConfig()

    @property
    def rounds(self) -> SslrConfig:
        """The method as rounds."""
        return self.method if isinstance(self.method, SslrConfig) else self.method.as_rounds()


# A section that names no kind means the default one: `method: {num_rounds: 3}` is SSLR's.
_DEFAULT_KINDS = {
    name: {"kind": field.default.kind}
    for name, field in Experiment.model_fields.items()
    if hasattr(field.default, "kind")
}


def experiment(tree: Mapping[str, Any], origin: str) -> Experiment:
    """The experiment of a configuration tree, its preset below it.

    Raises `ConfigError` that names `origin`, the field and the value.
    """
    preset = tree.get("preset", "modern")
    if preset not in PRESETS:
        raise ConfigError(
            f"{origin}: preset: there is no preset {preset!r}; there are {', '.join(PRESETS)}"
        )
    built = build(Experiment, merge(merge(_DEFAULT_KINDS, PRESETS[preset]), tree), origin)
    channels = num_channels(built.normalisation)
    if built.model.width is None and channels % built.model.num_heads:
        raise ConfigError(
            f"{origin}: model.width: {channels} channels of normalisation "
            f"{built.normalisation.kind!r} are not divisible by model.num_heads "
            f"{built.model.num_heads}; set model.width"
        )
    return built


@lru_cache(maxsize=4)
def open_corpus(data: EmbeddedConfig | ShardsConfig) -> Corpus:
    """The corpus, mapped from this machine's cache, which is filled where it lacks it."""
    if isinstance(data, EmbeddedConfig):
        return open_embedded(data)
    return open_shards(data.location, skip_broken=data.skip_broken)


@lru_cache(maxsize=16)
def open_split(data: EmbeddedConfig | ShardsConfig, how: SplitConfig) -> Split:
    """The split of a corpus; `DataError` where validation or test would be empty."""
    found = split(open_corpus(data), how)
    for name in ("training", "validation", "test"):
        if len(getattr(found, name)) == 0:
            raise DataError(f"the split leaves no clip for {name}: change split.* or add clips")
    return found


def draw(config: Experiment, seed: int) -> Pool:
    """The labelled and unlabelled pools that `seed` draws."""
    parts = open_split(config.data, config.split)
    return draw_pool(open_corpus(config.data), parts.training, config.pool, seed)


def problem(config: Experiment, seed: int) -> Problem:
    """What a seed trains on."""
    pool = draw(config, seed)
    return Problem(
        corpus=open_corpus(config.data),
        split=open_split(config.data, config.split),
        labelled=pool.labelled,
        unlabelled=pool.unlabelled,
        normalisation=config.normalisation,
        augmentation=config.augmentation,
        model=config.model,
    )


def stage_facts(config: Experiment) -> dict[str, Any]:
    """What every stage of an experiment depends on besides seed, round and method."""
    tree = config.model_dump(mode="json", exclude={"preset", "data", "method"})
    return {
        "version": _STAGE_VERSION,
        "fingerprint": open_corpus(config.data).fingerprint,
        **tree,
    }
