"""An experiment: one full configuration, from data to method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from slr_ray.augmentation.config import (
    AugmentationConfig,
    BoundaryAugmentation,
    StrongAugmentation,
)
from slr_ray.config import Config, build, merge
from slr_ray.corpora.data import DataConfig
from slr_ray.corpora.embedded.corpus import EmbeddedConfig
from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.corpora.pools import FractionPoolConfig, PoolConfig
from slr_ray.corpora.splits import SignerSplitConfig, SplitConfig
from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import (
    ConsistencyConfig,
    SentenceConsistencyConfig,
    StepByStep,
)
from slr_ray.experiment.encoder_file import Encoder, prescribed, refuse_contradictions
from slr_ray.experiment.initialisation import FreshWeights, Initialisation
from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.experiment.presets.objectives import OBJECTIVES
from slr_ray.experiment.presets.presets import PRESETS, Preset
from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.experiment.rounds.sentences import SentenceRoundsConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.experiment.supervised import SupervisedConfig
from slr_ray.experiment.task_checks import check_task
from slr_ray.experiment.validation_checks import check_validation
from slr_ray.models.config import ModelConfig, ignores_order
from slr_ray.models.parts_transformer import JOINT_CHANNELS, PartsTransformerConfig
from slr_ray.models.pose_transformer import PoseTransformerConfig
from slr_ray.models.spoter import SpoterConfig
from slr_ray.models.streams.channels import INPUT_CHANNELS
from slr_ray.models.streams.part_streams import PartStreamsConfig
from slr_ray.poses.normalisation import NormalisationConfig, SigningSpace, num_channels
from slr_ray.storage import absolute
from slr_ray.training.config import TrainingConfig
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.sentences.config import SentencesConfig

Task = Literal["isolated", "continuous"]
Method = Annotated[
    SslrConfig
    | SentenceRoundsConfig
    | ConsistencyConfig
    | SentenceConsistencyConfig
    | SupervisedConfig
    | LinearEvaluationConfig,
    Field(discriminator="kind"),
]


class Experiment(Config):
    """Everything that one result depends on, except the seed. Build it with `build_experiment`.

    >>> result.config.training.metric
    'balanced_accuracy'
    >>> type(result.config) is slr_ray.Experiment
    True
    """

    task: Task = "isolated"
    """What clips show: one sign each, or sentences (`continuous`), whose gloss sequences are learnt
    and recognised."""
    preset: Preset = "modern"
    """What the other sections start from: `modern`, the best recogniser; `few_labels`, the same
    with the rounds that gained most where few clips are labelled; `published`, SPOTER's release;
    `spoter_small`, a SPOTER that trains in minutes. SSL-SLR's, for pre-training, as written
    (`ssl_slr`), as its author coded it (`ssl_slr_coded`), small (`ssl_slr_small`). With
    `task=continuous` it is `continuous` where none is named."""
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
    sentences: SentencesConfig | None = None
    """What training on sentences has beside that; only with `task=continuous`."""
    method: Method = SslrConfig()
    test_time_views: int = Field(1, ge=1)
    """Test-time augmentation: what is measured on the test set and told by `slr_ray.predict` is the
    mean over a clip and so many less one views of it by `augmentation`. Epoch and round are chosen
    by the clip alone."""

    @property
    def rounds(self) -> RoundsConfig:
        """The method as rounds; what has none of its own has round 0, which all may share."""
        method = self.method
        return method if isinstance(method, RoundsConfig) else RoundsConfig(num_rounds=0)

    @property
    def folds_split(self) -> FoldsSplitConfig:
        """The split, where it has folds; `ConfigError` where it has none."""
        if not isinstance(self.split, FoldsSplitConfig):
            raise ConfigError(f"split.kind is {self.split.kind!r}: folds need split.kind=folds")
        return self.split

    def in_fold(self, fold: int | None) -> Experiment:
        """The same in a fold of its split; as it is with None, where a run has one split only."""
        if fold is None:
            return self
        split = self.folds_split.model_copy(update={"fold": fold})
        return self.model_copy(update={"split": split})


# A section that names no kind means the default one: `method: {num_rounds: 3}` is SSLR's.
_DEFAULT_KINDS = {
    name: {"kind": field.default.kind}
    for name, field in Experiment.model_fields.items()
    if hasattr(field.default, "kind")
}


def build_experiment(
    tree: Mapping[str, Any], origin: str, encoder: Encoder | None = None
) -> Experiment:
    """The experiment of a configuration tree, its preset below it; no file is read.

    `encoder` is that of `initialisation.path`, which decides about model and input; a tree that
    was resolved before needs none (`Opener.build` opens it).

    Raises `ConfigError` that names `origin`, the field and the value.
    """
    preset = tree.get("preset", "continuous" if tree.get("task") == "continuous" else "modern")
    if preset not in PRESETS:
        raise ConfigError(
            f"{origin}: preset: there is no preset {preset!r}; there are {', '.join(PRESETS)}"
        )
    base = merge({**_DEFAULT_KINDS, "preset": preset}, PRESETS[preset])
    base = merge(base, _pretraining(preset, base, tree))
    if encoder is not None:
        refuse_contradictions(tree, encoder, origin)
        base = merge(base, prescribed(encoder))
    built = build(Experiment, merge(base, tree), origin)
    check_task(built, origin)
    _check_model(built, origin)
    _check_teacher(built, origin)
    _check_selection(built, origin)
    _check_views(built, origin)
    check_validation(built, origin)
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


def pretraining_of(config: Experiment) -> PretrainingConfig:
    """The experiment's pre-training; `ConfigError` where it has none."""
    section = config.initialisation
    if not isinstance(section, PretrainingConfig):
        raise ConfigError(
            f"initialisation.kind is {section.kind!r}: set initialisation.kind=pretraining"
        )
    return section


def encoder_path(tree: Mapping[str, Any]) -> str | None:
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
            if model.positions == "learned" and (frames is None or frames > model.max_frames):
                told = "null: clips are as long as they are" if frames is None else frames
                raise ConfigError(
                    f"{origin}: {field} is {told}, but learned positions end at "
                    f"model.max_frames {model.max_frames}; give a smaller {field}, or set "
                    "model.positions=sinusoidal"
                )
        return
    channels = num_channels(built.normalisation)
    if isinstance(model, PartStreamsConfig):
        if channels != INPUT_CHANNELS:
            raise ConfigError(
                f"{origin}: model.kind {model.kind!r} reads the {INPUT_CHANNELS} channels of a "
                f"signing space with all its geometry, but normalisation "
                f"{built.normalisation.kind!r} gives {channels}: set normalisation.kind="
                "signing_space, and its distances, directions and velocities to true"
            )
        return
    if isinstance(model, PartsTransformerConfig) and channels != JOINT_CHANNELS:
        raise ConfigError(
            f"{origin}: model.kind {model.kind!r} reads the {JOINT_CHANNELS} channels of the "
            f"joints, but normalisation {built.normalisation.kind!r} gives {channels}: set "
            "normalisation.kind=none (or spoter)"
        )
    if model.width is None and channels % model.num_heads:
        raise ConfigError(
            f"{origin}: model.width: {channels} channels of normalisation "
            f"{built.normalisation.kind!r} are not divisible by model.num_heads "
            f"{model.num_heads}; set model.width"
        )


def _check_teacher(built: Experiment, origin: str) -> None:
    """`ConfigError` where there are no averaged weights to label unlabelled clips."""
    method = built.method
    by_average = isinstance(method, StepByStep) and method.teacher == "ema"
    if by_average and built.training.ema_decay is None:
        raise ConfigError(
            f"{origin}: method.teacher is 'ema', but training.ema_decay is null: set "
            "training.ema_decay=0.99, or method.teacher=student"
        )


def _check_selection(built: Experiment, origin: str) -> None:
    """`ConfigError` where a rule asks for what the model can't give."""
    method = built.method
    if not isinstance(method, SslrConfig):
        return
    if method.needs.dropout_passes and built.model.dropout == 0:
        raise ConfigError(
            f"{origin}: method.selection.kind {method.selection.kind!r} compares passes with "
            "dropout, but model.dropout is 0; set model.dropout or another rule"
        )


def _check_views(built: Experiment, origin: str) -> None:
    """`ConfigError` where frames are permuted for a model that does not see their order."""
    space = built.normalisation
    has_velocities = isinstance(space, SigningSpace) and space.velocities
    if not ignores_order(built.model) or has_velocities:
        return
    sections = {"": built, "initialisation.": built.initialisation, "method.": built.method}
    for prefix, section in sections.items():
        for name, views in section:
            if isinstance(views, BoundaryAugmentation):
                raise ConfigError(
                    f"{origin}: {prefix}{name}.kind is 'boundary', but to model.kind "
                    f"{built.model.kind!r} a clip with its frames permuted is the same clip: it "
                    "ignores their order. Set model.positions=sinusoidal, or "
                    f"{prefix}{name}.kind=standard"
                )
