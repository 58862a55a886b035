"""Recognisers of isolated signs: checkpoints that give each clip glosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from slr_ray.config import is_whole
from slr_ray.errors import ConfigError, DataError
from slr_ray.methods.checkpoints import Loaded, Source, load_checkpoint, loaded
from slr_ray.models.config import AnyRecogniser
from slr_ray.models.model import Model
from slr_ray.poses.reading import ReadableClips
from slr_ray.records.stages import State
from slr_ray.training.prediction import predict
from slr_ray.workers.place import this_place


@dataclass(frozen=True)
class Prediction:
    """What a recogniser says of one clip.

    >>> first = result.recogniser.predict(corpus.clip(0), top=2)[0]
    >>> first.clip_id == corpus.clip(0).clip_id, first.gloss == first.top[0][0]
    (True, True)
    """

    clip_id: str
    top: tuple[tuple[str, float], ...]
    """Glosses with their probabilities, the most likely first."""

    @property
    def gloss(self) -> str:
        """The most likely one."""
        return self.top[0][0]


@dataclass(frozen=True)
class Recogniser(Loaded[Model]):
    """A trained model and what it takes to use it.

    >>> recogniser = slr_ray.Recogniser.load(result.checkpoint)
    >>> recogniser.predict(corpus)[0].gloss in recogniser.glosses
    True

    `recogniser.predict("video.mp4")` extracts poses first, like those it was trained on.
    """

    @classmethod
    def load(cls, path: str | Path) -> Recogniser:
        """Read a checkpoint, a file or URI, such as RUN/best/checkpoint.pt.

        Only tensors and plain values are loaded: a hostile file can run no code. Raises `DataError`
        where it is none of ours.
        """
        return load_recogniser(str(path))

    def probabilities(
        self, source: ReadableClips, clips: Int[np.ndarray, " clips"]
    ) -> Float[np.ndarray, "clips glosses"]:
        """Softmax probabilities; columns in the order of `glosses`.

        With test-time augmentation the views follow from a clip's place among `clips`: beside other
        clips it has others.
        """
        place = this_place()
        return predict(
            self.model.to(place.device),
            source,
            clips,
            normalisation=self.config.normalisation,
            max_frames=self.config.training.max_frames,
            device=place.device,
            precision=self.config.training.precision,
            num_views=self.config.test_time_views,
            augmentation=self.config.augmentation,
        )

    def predict(
        self,
        source: Source,
        *,
        top: int = 5,
        models: str | Path | None = None,
    ) -> list[Prediction]:
        """The likeliest glosses of every clip of a corpus or its shards, of clips, or of a video.

        A video, or a folder of videos, is extracted in this process with the settings of the
        training poses; `models` is a folder of MediaPipe's .task bundles, which are fetched once
        if not given. Raises `DataError` where a video or a clip can't be used.
        """
        clips, ids = self.clips_of(source, models)
        return self.ranked(clips, np.arange(len(ids)), ids, top)

    def ranked(
        self,
        source: ReadableClips,
        clips: Int[np.ndarray, " clips"],
        clip_ids: Sequence[str],
        top: int,
    ) -> list[Prediction]:
        """`probabilities` as predictions, the ids of the clips in their order."""
        if not is_whole(top, 1):
            raise ConfigError(f"top={top!r}: ask for one gloss or more")
        if not len(clips):
            return []
        probabilities = self.probabilities(source, clips)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        return [
            Prediction(name, tuple((self.glosses[one], float(row[one])) for one in best))
            for name, row, best in zip(clip_ids, probabilities, order, strict=True)
        ]


def load_recogniser(path: str) -> Recogniser:
    """Read a checkpoint, a file or URI (`weights_only`); `DataError` where it is none of ours."""
    return of_signs(load_checkpoint(path), path)


def recogniser_of(content: State, origin: str) -> Recogniser:
    """The recogniser that a checkpoint's content describes."""
    return of_signs(loaded(content, origin), origin)


def of_signs(found: Loaded[AnyRecogniser], origin: str) -> Recogniser:
    """A loaded checkpoint that recognises isolated signs; `DataError` where it does not."""
    if not isinstance(found.model, Model):
        raise DataError(
            f"{origin} recognises sentences, and this is for isolated signs: "
            "slr_ray.SentenceRecogniser reads it, and the command slr_ray.predict both"
        )
    return Recogniser(**vars(found))
