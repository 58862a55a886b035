"""Which augmentations a clip may get, how often and how strong."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from slr_ray.config import Config

Probability = Annotated[float, Field(ge=0, le=1)]
Degrees = Annotated[float, Field(ge=0, le=180)]
# Beyond these a projection or a squeeze leaves nothing of the picture.
Ratio = Annotated[float, Field(ge=0, le=0.3)]
Fraction = Annotated[float, Field(ge=0, le=0.45)]


class NoAugmentation(Config):
    """Clips as they are."""

    kind: Literal["none"] = "none"

    @property
    def noise_std(self) -> float:
        """Nothing is added."""
        return 0.0


SpoterTransform = Literal["rotate", "perspective", "squeeze", "rotate_arms"]


class SpoterAugmentation(Config):
    """As published: for some clips exactly one of four transforms; defaults of the release."""

    kind: Literal["spoter"] = "spoter"
    probability: Probability = 0.5
    """That a clip is augmented at all; each of the transforms is equally likely then."""
    transforms: tuple[SpoterTransform, ...] = get_args(SpoterTransform)
    """Those of which one is drawn, in whatever order they are named; none of them leaves only the
    noise."""
    rotation_degrees: Degrees = 13.0
    """Rotation about the image's centre, uniform between plus and minus this."""
    perspective_ratio: Ratio = 0.1
    """How far one edge of the image is pushed away, uniform from 0; body only."""
    squeeze_ratio: Ratio = 0.15
    """How much of the width is lost at each side, uniform from 0; body only."""
    arm_degrees: Degrees = 4.0
    """Rotation about an arm's joint, uniform between plus and minus this; body only."""
    arm_joint_probability: Probability = 0.3
    """That a joint of the arm is turned about."""
    noise_std: float = Field(default=0.001, ge=0)
    """Gaussian noise on every feature after normalisation, whether augmented or not; 0 = none."""

    @field_validator("transforms")
    @classmethod
    def _in_order(cls, transforms: tuple[SpoterTransform, ...]) -> tuple[SpoterTransform, ...]:
        if len(set(transforms)) < len(transforms):
            raise ValueError("name each transform once")
        return tuple(one for one in get_args(SpoterTransform) if one in transforms)


class StrongAugmentation(Config):
    """Each transform independently, hands included; for few labels and for views. Ours."""

    kind: Literal["strong"] = "strong"
    rotation_probability: Probability = 0.5
    rotation_degrees: Degrees = 15.0
    """About the image's centre, uniform between plus and minus this."""
    scale_probability: Probability = 0.5
    scale: float = Field(default=0.2, ge=0, lt=1)
    """Both axes by a factor uniform in 1 ± this (`signing_space` normalisation undoes it)."""
    stretch_probability: Probability = 0.5
    stretch: float = Field(default=0.15, ge=0, lt=1)
    """x by a factor uniform in 1 ± this and y by its inverse: the image's aspect is unknown."""
    shear_probability: Probability = 0.5
    shear: float = Field(default=0.15, ge=0, lt=1)
    """x moved by y times a number uniform between plus and minus this."""
    translation_probability: Probability = 0.5
    translation: float = Field(default=0.1, ge=0, le=1)
    """In image sizes, by axis, uniform between plus and minus this (normalisation undoes it)."""
    perspective_probability: Probability = 0.5
    perspective_ratio: Ratio = 0.1
    arm_probability: Probability = 0.5
    """That a clip's arms are turned at all."""
    arm_degrees: Degrees = 6.0
    arm_joint_probability: Probability = 0.3
    hand_probability: Probability = 0.0
    """That a hand is turned, stretched and bent about its wrist, each hand for itself."""
    hand_degrees: Degrees = 20.0
    """A hand's turn, uniform between plus and minus this."""
    hand_stretch: float = Field(default=0.2, ge=0, lt=1)
    """A hand's x by a factor uniform in 1 ± this, and its y by the inverse."""
    bend_degrees: Degrees = 10.0
    """Each finger's turn about its knuckle, uniform between plus and minus this."""
    mirror_probability: Probability = 0.25
    """Left and right exchanged; about one signer in eight is left-handed or filmed mirrored. A
    normalisation with `canonical_hand` mirrors such clips back: with it this changes nothing."""
    draw_frames: bool = False
    """Thin a clip of more than `training.max_frames` frames to one at random of each of that many
    equal parts, instead of evenly spaced ones; without such a limit this changes nothing."""
    cut_probability: Probability = 0.5
    cut_fraction: Fraction = 0.15
    """Of a clip's frames, cut off each end, uniform from 0."""
    speed_probability: Probability = 0.5
    speed: float = Field(default=1.3, ge=1, le=4)
    """Between 1 / this and this, uniform in its logarithm."""
    frame_dropout_probability: Probability = 0.25
    frame_dropout: Probability = 0.1
    """Share of frames that lose all joints."""
    hand_dropout_probability: Probability = 0.25
    hand_dropout_fraction: Probability = 0.3
    """Longest part of a clip during which one hand is missing, uniform from 0."""
    joint_dropout_probability: Probability = 0.25
    joint_dropout: Probability = 0.05
    """Share of joints, frame by frame, that go missing."""
    noise_std: float = Field(default=0.001, ge=0)
    """Gaussian noise on every feature after normalisation."""


class StandardAugmentation(Config):
    """What SSL-SLR compares its own with (arXiv 2509.05188, section 6.3): on the whole sequence.

    The paper names rotation, Gaussian blur and flip and states no strength: the blur's is SimCLR's,
    over frames instead of pixels. The others are ours and off.
    """

    kind: Literal["standard"] = "standard"
    rotation_probability: Probability = 0.5
    rotation_degrees: Degrees = 15.0
    """About the image's centre, uniform between plus and minus this."""
    blur_probability: Probability = 0.5
    blur_frames: float = Field(default=2.0, ge=0)
    """Standard deviation of the blur in time, uniform from 0.1 to this (SimCLR: 0.1 to 2)."""
    flip_probability: Probability = 0.5
    """Left and right exchanged. A normalisation with `canonical_hand`, as in the preset
    `ssl_slr_small`, mirrors such clips back: with it this changes nothing."""
    speed_probability: Probability = 0.0
    speed: float = Field(default=1.3, ge=1, le=4)
    """Between 1 / this and this, uniform in its logarithm."""
    crop_probability: Probability = 0.0
    crop_fraction: Fraction = 0.15
    """Of a clip's frames, cut off each end, uniform from 0."""
    joint_dropout_probability: Probability = 0.0
    joint_dropout: Probability = 0.1
    """Share of joints, frame by frame, that go missing."""
    noise_std: float = Field(default=0.0, ge=0)
    """Gaussian noise on every feature after normalisation."""


WholeClipAugmentation = Annotated[
    StandardAugmentation | StrongAugmentation, Field(discriminator="kind")
]


class BoundaryEstimateConfig(Config):
    """What counts as a reach. Chosen on the embedded corpus of seed 0, checked on other seeds."""

    least_rise: float = Field(0.4, gt=0)
    """Shoulder widths that a hand must rise from an end of the clip to its signing height; below
    it the hand was up already, and that end has no boundary."""
    signing_quantile: float = Field(0.8, gt=0, lt=1)
    """Of the clip's hand heights: the height at which it signs."""
    settled: float = Field(0.3, gt=0, lt=1)
    """The reach is over when the hand is down to this share of the reach's highest speed."""
    reach_frames: int = Field(4, ge=1)
    """How many frames before the middle of the rise its highest speed is looked for."""


class BoundaryAugmentation(Config):
    """SSL-SLR's (arXiv 2509.05188, section 5.2): frames permuted in a clip's head and tail."""

    kind: Literal["boundary"] = "boundary"
    head_fraction: Probability = 1 / 3
    """Share of a clip's frames, from its first, that carry no sign yet (published: a third)."""
    tail_fraction: Probability = 0.25
    """Share of them, up to the last, that carry none any more (published: a quarter)."""
    per_clip: BoundaryEstimateConfig | None = None
    """Each clip's own head and tail in place of these shares, as `slr_ray.boundary --algorithm
    estimate` finds them from the hands: in all frames that the normalisation keeps, before long
    clips are thinned. `{}` takes the estimate's defaults. Where the hand is up at an end of the
    clip, its frames stay in order. Ours."""
    standard: WholeClipAugmentation | None = None
    """Augmentations of the whole clip before the permutation; None as published. Noise is added
    after normalisation, as this section says, not that one."""
    noise_std: float = Field(default=0.0, ge=0)
    """Gaussian noise on every feature after normalisation."""

    @model_validator(mode="after")
    def _parts_are_disjoint(self) -> BoundaryAugmentation:
        if self.head_fraction + self.tail_fraction > 1:
            raise ValueError(
                f"head_fraction {self.head_fraction:g} and tail_fraction {self.tail_fraction:g} "
                "add up to more than a clip"
            )
        return self


AugmentationConfig = Annotated[
    NoAugmentation
    | SpoterAugmentation
    | StrongAugmentation
    | StandardAugmentation
    | BoundaryAugmentation,
    Field(discriminator="kind"),
]


def draws_frames(config: AugmentationConfig) -> bool:
    """Whether long clips are thinned to frames drawn at random."""
    return isinstance(config, StrongAugmentation) and config.draw_frames


def flip_probability(config: AugmentationConfig) -> float:
    """That an augmentation exchanges left and right."""
    match config:
        case StandardAugmentation():
            return config.flip_probability
        case StrongAugmentation():
            return config.mirror_probability
        case BoundaryAugmentation() if config.standard is not None:
            return flip_probability(config.standard)
        case _:
            return 0.0
