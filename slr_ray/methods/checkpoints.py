"""Checkpoints that predict: weights, configuration and names of the glosses in one safe file."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from slr_ray.config import build
from slr_ray.console import literal_console
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.data import open_corpus
from slr_ray.errors import DataError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.models.config import AnyRecogniser, new_recogniser
from slr_ray.poses.clip import Clip, checked
from slr_ray.poses.normalisation import num_channels
from slr_ray.poses.reading import ClipsInMemory, ReadableClips
from slr_ray.poses.shards import are_shards
from slr_ray.records.stages import State, loads
from slr_ray.storage import read_file

_FORMAT = 2

ModelT = TypeVar("ModelT", bound=AnyRecogniser)
Source = Corpus | Clip | Sequence[Clip] | str | Path
"""What may be predicted: clips, a corpus or its shards, a video or a folder of videos."""


@dataclass(frozen=True)
class Loaded(Generic[ModelT]):
    """A trained model and what it takes to use it."""

    model: ModelT
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

    def clips_of(
        self, source: Source, models: str | Path | None
    ) -> tuple[ReadableClips, Sequence[str]]:
        """The clips of a source with their ids; videos are extracted like the training poses.

        `models` is a folder of MediaPipe's .task bundles, which are fetched once if not given.
        Raises `DataError` where a video or a clip can't be used.
        """
        if isinstance(source, str | Path) and names_shards(str(source)):
            source = open_corpus(source)
        if isinstance(source, str | Path):
            source = self._extracted(Path(source), None if models is None else Path(models))
        if isinstance(source, Corpus):
            return source, source.clip_ids.to_pylist()
        clips = list(checked(source, "give a clip, clips, a corpus, or where one lies"))
        return ClipsInMemory(clips), [one.clip_id for one in clips]

    def _extracted(self, video: Path, models: Path | None) -> list[Clip]:
        # MediaPipe takes seconds to import, and only videos need it.
        from slr_ray.videos.detection.in_memory import extract_clips, settings_like

        settings, note = settings_like(self.provenance)
        if note is not None:
            warnings.warn(note.removeprefix("note: "), stacklevel=4)
        found = extract_clips([video], settings, models, literal_console(stderr=True))
        if found.failures:
            raise DataError("; ".join(found.failures))
        return found.clips


def names_shards(source: str) -> bool:
    """Whether what is to be predicted is pose shards, and not videos.

    Raises `DataError` for a folder of both: neither may be passed over.
    """
    from slr_ray.videos.frames.files import holds_videos

    if not are_shards(source):
        return False
    if Path(source).is_dir() and holds_videos(Path(source)):
        raise DataError(f"{source!r} holds pose shards and videos: name those that are meant")
    return True


def checkpoint_content(prepared: Prepared, state: State) -> State:
    """What a checkpoint holds; `load_checkpoint` reads it."""
    corpus = prepared.corpus
    return {
        "format": _FORMAT,
        "model": state,
        "config": prepared.config.model_dump(mode="json"),
        "glosses": list(corpus.glosses),
        "fingerprint": corpus.fingerprint,
        "split": prepared.split.fingerprint,
        "provenance": list(corpus.provenance),
    }


def load_checkpoint(path: str) -> Loaded[AnyRecogniser]:
    """Read a checkpoint, a file or URI (`weights_only`); `DataError` where it is none of ours."""
    if Path(path).is_dir():
        inside = sorted(Path(path).rglob("checkpoint.pt"))
        hint = f", such as {str(inside[0])!r}" if inside else ""
        raise DataError(f"{path} is a folder: give the checkpoint's file{hint}")
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
    return loaded(content, path, hashlib.sha256(raw).hexdigest())


def loaded(content: State, origin: str, sha256: str = "") -> Loaded[AnyRecogniser]:
    """The model that a checkpoint's content describes, of a file or just trained."""
    # Resolved when it was written, and complete: an encoder file that it started from may be gone.
    config = build(Experiment, content["config"], origin)
    glosses = tuple(content["glosses"])
    channels, of_sentences = num_channels(config.normalisation), config.task == "continuous"
    model = new_recogniser(config.model, channels, len(glosses), of_sentences=of_sentences)
    try:
        model.load_state_dict(content["model"])
    except RuntimeError:
        raise DataError(
            f"{origin}: another version of slr_ray wrote it, whose {config.model.kind} had other "
            "weights; use that version, or train again"
        ) from None
    return Loaded(
        model=model.eval(),
        config=config,
        glosses=glosses,
        provenance=tuple(content["provenance"]),
        fingerprint=content["fingerprint"],
        split=content.get("split"),
        sha256=sha256,
    )
