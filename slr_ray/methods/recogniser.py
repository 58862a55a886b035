"""Checkpoints that predict: weights, configuration and names of the glosses in one safe file."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from rich.console import Console

from slr_ray.config import build
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.errors import DataError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.models.model import Model
from slr_ray.poses.clip import Clip
from slr_ray.poses.normalisation import num_channels
from slr_ray.poses.reading import ClipsInMemory, ReadableClips
from slr_ray.poses.shards import are_shards
from slr_ray.records.stages import State, loads
from slr_ray.storage import read_file
from slr_ray.training.prediction import predict
from slr_ray.workers.place import this_place

_FORMAT = 2


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
class Recogniser:
    """A trained model and what it takes to use it.

    >>> recogniser = slr_ray.Recogniser.load(result.checkpoint)
    >>> recogniser.predict(corpus)[0].gloss in recogniser.glosses
    True

    `recogniser.predict("video.mp4")` extracts poses first, like those it was trained on.
    """

    model: Model
    config: Experiment
    glosses: tuple[str, ...]
    provenance: tuple[dict[str, Any], ...]
    """How the poses came about that it was trained on, one record a way."""
    fingerprint: str
    """Of the corpus that it was trained on."""
    split: str | None
    """Fingerprint of that corpus's split; None in checkpoints of earlier versions."""
    sha256: str
    """Of the file; empty where it was never one."""

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
        """Softmax probabilities; columns in the order of `glosses`."""
        place = this_place()
        return predict(
            self.model.to(place.device),
            source,
            clips,
            normalisation=self.config.normalisation,
            max_frames=self.config.training.max_frames,
            device=place.device,
            precision=self.config.training.precision,
        )

    def predict(
        self,
        source: Corpus | Clip | Sequence[Clip] | str | Path,
        *,
        top: int = 5,
        models: str | Path | None = None,
    ) -> list[Prediction]:
        """The likeliest glosses of every clip of a corpus or its shards, of clips, or of a video.

        A video, or a folder of videos, is extracted in this process with the settings of the
        training poses; `models` is a folder of MediaPipe's .task bundles, which are fetched once
        if not given. Raises `DataError` where a video can't be used.
        """
        if isinstance(source, str | Path) and are_shards(str(source)):
            source = open_shards(str(source))
        if isinstance(source, str | Path):
            source = self._extracted(Path(source), None if models is None else Path(models))
        if isinstance(source, Corpus):
            every = np.arange(source.num_clips)
            return self.ranked(source, every, source.clip_ids.to_pylist(), top)
        clips = [source] if isinstance(source, Clip) else list(source)
        ids = [one.clip_id for one in clips]
        return self.ranked(ClipsInMemory(clips), np.arange(len(clips)), ids, top)

    def ranked(
        self,
        source: ReadableClips,
        clips: Int[np.ndarray, " clips"],
        clip_ids: Sequence[str],
        top: int,
    ) -> list[Prediction]:
        """`probabilities` as predictions, the ids of the clips in their order."""
        if not len(clips):
            return []
        probabilities = self.probabilities(source, clips)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        return [
            Prediction(name, tuple((self.glosses[one], float(row[one])) for one in best))
            for name, row, best in zip(clip_ids, probabilities, order, strict=True)
        ]

    def _extracted(self, video: Path, models: Path | None) -> list[Clip]:
        # MediaPipe takes seconds to import, and only videos need it.
        from slr_ray.videos.detection.in_memory import extract_clips, settings_like

        settings, note = settings_like(self.provenance)
        if note is not None:
            warnings.warn(note.removeprefix("note: "), stacklevel=3)
        found = extract_clips([video], settings, models, Console(stderr=True))
        if found.failures:
            raise DataError("; ".join(found.failures))
        return found.clips


def checkpoint_content(prepared: Prepared, state: State, metric: str) -> State:
    """What a checkpoint holds; `load_recogniser` reads it."""
    corpus = prepared.corpus
    return {
        "format": _FORMAT,
        "model": state,
        "config": prepared.config.model_dump(mode="json"),
        "glosses": list(corpus.glosses),
        "fingerprint": corpus.fingerprint,
        "split": prepared.split.fingerprint,
        "provenance": list(corpus.provenance),
        "chosen_by": f"validation {metric}",
    }


def load_recogniser(path: str) -> Recogniser:
    """Read a checkpoint, a file or URI (`weights_only`); `DataError` where it is none of ours."""
    try:
        raw = read_file(path)
        content = loads(raw)
    except FileNotFoundError:
        raise DataError(f"no such checkpoint: {path}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        # Torch's own text goes on to advise an unsafe load.
        raise DataError(
            f"{path} is not a checkpoint that can be loaded safely ({type(error).__name__})"
        ) from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DataError(f"{path} is not a checkpoint of slr_ray (format {_FORMAT})")
    return recogniser_of(content, path, hashlib.sha256(raw).hexdigest())


def recogniser_of(content: State, origin: str, sha256: str = "") -> Recogniser:
    """The recogniser that a checkpoint's content describes, of a file or just trained."""
    # Resolved when it was written, and complete: an encoder file that it started from may be gone.
    config = build(Experiment, content["config"], origin)
    glosses = tuple(content["glosses"])
    model = config.model.build(num_channels(config.normalisation), len(glosses))
    model.load_state_dict(content["model"])
    return Recogniser(
        model=model.eval(),
        config=config,
        glosses=glosses,
        provenance=tuple(content["provenance"]),
        fingerprint=content["fingerprint"],
        split=content.get("split"),
        sha256=sha256,
    )
