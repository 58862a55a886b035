"""How poses are extracted from a video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from slr_ray.config import Config

EXTRACTOR = "slr_ray.videos.detection"
"""What the provenance of a shard calls this extractor."""

PoseModel = Literal["lite", "full", "heavy"]
Share = Annotated[float, Field(ge=0, le=1)]


class NoSmoothing(Config):
    """Positions as the landmarkers give them (the pose landmarker smooths a little by itself)."""

    kind: Literal["none"] = "none"


class OneEuro(Config):
    """The 1 euro filter: smooth where a joint rests, quick where it moves.

    Casiez, Roussel, Vogel: 1€ Filter, CHI 2012, section 3. We run it forward only, as published.
    """

    kind: Literal["one_euro"] = "one_euro"
    min_cutoff_hz: float = Field(1.0, gt=0)
    """Cutoff at rest: lower is smoother and later."""
    beta: float = Field(10.0, ge=0)
    """Hz that the cutoff rises by for each unit of speed, an image height a second."""
    derivative_cutoff_hz: float = Field(1.0, gt=0)


class SavitzkyGolay(Config):
    """A polynomial fitted to each window of frames; it uses the future, so nothing lags.

    Savitzky, Golay: Analytical Chemistry 36 (1964). Shorter stretches take a shorter window.
    """

    kind: Literal["savitzky_golay"] = "savitzky_golay"
    window_frames: int = Field(7, ge=3)
    order: int = Field(2, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> SavitzkyGolay:
        if self.window_frames % 2 == 0:
            raise ValueError(f"window_frames must be odd, not {self.window_frames}")
        if self.order >= self.window_frames:
            raise ValueError(f"order {self.order} needs a window of more frames")
        return self


Smoothing = Annotated[NoSmoothing | OneEuro | SavitzkyGolay, Field(discriminator="kind")]


class ExtractionConfig(Config):
    """Settings of extraction; a shard's provenance records all of them."""

    pose_model: PoseModel = "full"
    """Size of the pose landmarker; lite and heavy come from Google's store or --models only."""
    target_fps: float | None = Field(None, gt=0)
    """Frames a second to bring every clip to, by its timestamps; as filmed if not given."""
    max_frames: int | None = Field(None, ge=1)
    """Frames after which a clip is cut off; all if not given."""
    detection_confidence: Share = 0.5
    """From which on a detected person or hand counts."""
    presence_confidence: Share = 0.5
    """From which on a landmarker believes that its person or hand is in the picture."""
    tracking_confidence: Share = 0.5
    """From which on a person or hand is followed instead of detected again."""
    longest_side_px: int | None = Field(None, ge=64)
    """Larger frames are scaled down to this while they are decoded; as filmed if not given."""
    second_look: bool = True
    """Search around a wrist again whose hand was not found; finds touching and small hands."""
    skip_hands_outside: bool = True
    """Do not search for hands in frames where the pose has both wrists outside the picture."""
    max_still_change: float = Field(0.0, ge=0)
    """Frames that differ by no more than this from the last one looked at take over its landmarks.

    Largest difference of a cell of a coarse grid, in grey levels of 0 to 255; 0 looks at all."""
    max_gap_frames: int = Field(0, ge=0)
    """Longest gap of a joint that is filled by a straight line; 0 fills none."""
    smoothing: Smoothing = NoSmoothing()


def settings_of(provenance: Iterable[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """The distinct settings that poses were extracted with; None stands for other extractors."""
    found: list[dict[str, Any] | None] = []
    for record in provenance:
        settings = record.get("settings") if record.get("extractor") == EXTRACTOR else None
        if settings not in found:
            found.append(settings)
    return found
