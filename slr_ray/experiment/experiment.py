"""An experiment: one full configuration, from data to method."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, field_validator

from slr_ray.augmentation.config import AugmentationConfig, StrongAugmentation
from slr_ray.config import Config, build, merge
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, open_embedded
from slr_ray.corpora.pools import FractionPoolConfig, Pool, PoolConfig, draw_pool
from slr_ray.corpora.splits import SignerSplitConfig, Split, SplitConfig, split
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.encoder_file import cached_encoder, prescribed, refuse_contradictions
from slr_ray.experiment.initialisation import EncoderFile, FreshWeights, Initialisation
from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.experiment.presets import OBJECTIVES, PRESETS, Preset
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.experiment.supervised import SupervisedConfig
from slr_ray.models.config import ModelConfig
from slr_ray.models.pose_transformer import PoseTransformerConfig
from slr_ray.models.spoter import SpoterConfig
from slr_ray.poses.normalisation import NormalisationConfig, SigningSpace, num_channels
from slr_ray.storage import absolute
from slr_ray.training.config import TrainingConfig
from slr_ray.training.pretraining_config import PretrainingConfig
from slr_ray.training.problem import Problem

# A change of code that changes what training gives must change this, so that old stages are not
# taken for new ones.
STAGE_VERSION = 4
# Every command with an experiment takes overrides; not all have the option.
_SKIP = "data.skip_broken=true"


class ShardsConfig(Config):
    """The user's own poses."""

    kind: Literal["shards"] = "shards"
    location: str
    """A Parquet file, a folder of them, or a cloud URI."""
    skip_broken: bool = False
    """Leave unusable clips out and list them, instead of stopping at the first; those of
    pre-training's extra data as well."""

    @field_validator("location")
    @classmethod
    def _absolute(cls, location: str) -> str:
        return absolute(location)


DataConfig = Annotated[EmbeddedConfig | ShardsConfig, Field(discriminator="kind")]
Method = Annotated[
    SslrConfig | SupervisedConfig | LinearEvaluationConfig, Field(discriminator="kind")
]


class Experiment(Config):
    """Everything that one result depends on, except the seed. Build it with `experiment`."""

    preset: Preset = "modern"
    """What the other sections start from: `published` or `modern`."""
    data: DataConfig = EmbeddedConfig()
    split: SplitConfig = SignerSplitConfig()
    pool: PoolConfig = FractionPoolConfig()
    normalisation: NormalisationConfig = SigningSpace()
    augmentation: AugmentationConfig = StrongAugmentation()
    model: ModelConfig = SpoterConfig()
    initialisation: Initialisation = FreshWeights()
    """What round 0, and every round that does not continue from the last, starts from; the
    classifier is always new."""
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
    base = merge(_DEFAULT_KINDS, PRESETS[preset])
    base = merge(base, _pretraining(preset, base, tree))
    path = _encoder_path(tree)
    if path is not None:
        encoder = cached_encoder(path)
        refuse_contradictions(tree, encoder, origin)
        base = merge(base, prescribed(encoder))
    built = build(Experiment, merge(base, tree), origin)
    _check_model(built, origin)
    return built


def _pretraining(
    preset: Preset, base: Mapping[str, Any], tree: Mapping[str, Any]
) -> dict[str, Any]:
    """What lies below the user's pre-training; empty where there is none.

    The kinds of its sections, which `tree` need not name, then what the preset sets of it, then
    what it sets for the objective that `tree` names.
    """
    section = merge(base, tree)["initialisation"]
    if not isinstance(section, Mapping) or section.get("kind") != "pretraining":
        return {}
    objective = section.get("objective")
    kind = objective.get("kind") if isinstance(objective, Mapping) else None
    defaults = PretrainingConfig()
    own: dict[str, Any] = {
        "kind": "pretraining",
        "objective": {"kind": kind or defaults.objective.kind},
        "augmentation": {"kind": defaults.augmentation.kind},
        "optimiser": {"kind": defaults.optimiser.kind},
    }
    if base["initialisation"]["kind"] == "pretraining":
        own = merge(own, base["initialisation"])
    own = merge(own, OBJECTIVES.get(preset, {}).get(own["objective"]["kind"], {}))
    return {"initialisation": own}


def _encoder_path(tree: Mapping[str, Any]) -> str | None:
    """The encoder file that a configuration names."""
    section = tree.get("initialisation")
    if not isinstance(section, Mapping) or section.get("kind") != "encoder":
        return None
    path = section.get("path")
    return absolute(path) if isinstance(path, str) else None


def _check_model(built: Experiment, origin: str) -> None:
    """`ConfigError` where the model does not fit its input."""
    model = built.model
    if isinstance(model, PoseTransformerConfig):
        given = {"training.max_frames": built.training.max_frames}
        if isinstance(built.initialisation, PretrainingConfig):
            longest = built.initialisation.max_frames
            given["initialisation.max_frames"] = longest or built.training.max_frames
        for field, frames in given.items():
            if model.positions == "learned" and frames > model.max_frames:
                raise ConfigError(
                    f"{origin}: {field} is {frames}, but learned positions end at "
                    f"model.max_frames {model.max_frames}"
                )
        return
    channels = num_channels(built.normalisation)
    if model.width is None and channels % model.num_heads:
        raise ConfigError(
            f"{origin}: model.width: {channels} channels of normalisation "
            f"{built.normalisation.kind!r} are not divisible by model.num_heads "
            f"{model.num_heads}; set model.width"
        )


@lru_cache(maxsize=4)
def open_corpus(data: EmbeddedConfig | ShardsConfig) -> Corpus:
    """The corpus, mapped from this machine's cache, which is filled where it lacks it."""
    if isinstance(data, EmbeddedConfig):
        return open_embedded(data)
    return open_shards(data.location, skip_broken=data.skip_broken, how_to_skip=_SKIP)


@lru_cache(maxsize=8)
def open_extra(location: str, data: EmbeddedConfig | ShardsConfig) -> Corpus:
    """A corpus that only pre-training learns from; `data`'s way with broken clips is its own."""
    if isinstance(data, EmbeddedConfig):
        return open_shards(location, how_to_skip=f"--data and {_SKIP}")
    return open_shards(location, skip_broken=data.skip_broken, how_to_skip=_SKIP)


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
    excluded = {"preset", "data", "split", "method", "initialisation"}
    return {
        "version": STAGE_VERSION,
        "fingerprint": open_corpus(config.data).fingerprint,
        # Of its clips: a split file may change under the same path.
        "split": open_split(config.data, config.split).fingerprint,
        "initialisation": initialisation_facts(config),
        "frozen": isinstance(config.method, LinearEvaluationConfig),
        **config.model_dump(mode="json", exclude=excluded),
    }


def initialisation_facts(config: Experiment) -> dict[str, Any]:
    """What the initial weights depend on besides data, split, model and seed."""
    section = config.initialisation
    match section:
        case FreshWeights():
            return section.model_dump(mode="json")
        case EncoderFile():
            return {"kind": section.kind, "sha256": cached_encoder(section.path).sha256}
        case PretrainingConfig():
            # Watching for collapse changes no weight; the paths stand for what lies there.
            excluded = {"collapse_threshold", "stop_on_collapse", "extra_data"}
            extra = [
                open_extra(location, config.data).fingerprint for location in section.extra_data
            ]
            return {"extra": extra, **section.model_dump(mode="json", exclude=excluded)}
        case _:
            assert_never(section)
