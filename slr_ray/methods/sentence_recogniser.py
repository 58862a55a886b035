"""Recognisers of sentences: checkpoints that give glosses and where in the clip they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from slr_ray.errors import DataError
from slr_ray.methods.checkpoints import Loaded, Source, load_checkpoint
from slr_ray.models.config import AnyRecogniser
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.poses.reading import ReadableClips
from slr_ray.training.sentences.prediction import Said, said, step_probabilities
from slr_ray.workers.place import this_place


@dataclass(frozen=True)
class SignedGloss:
    """One gloss of a sentence; frames are those of the clip, the end not included."""

    gloss: str
    start: int
    end: int
    spike: int
    """The first of the frames in which it shows most."""
    confidence: float
    """Probability of the gloss there, were there no frames between glosses."""


@dataclass(frozen=True)
class SignedSentence:
    """What a recogniser says of one clip.

    >>> said = sentences.sentence_recogniser.predict(sentence)[0]
    >>> said.clip_id == sentence.clip_id, len(said.glosses) == len(said.signed)
    (True, True)

    Each of `signed` has its `gloss`, the frames `start` and `end`, and a `confidence`.
    """

    clip_id: str
    signed: tuple[SignedGloss, ...]
    log_probability: float
    """Of this gloss sequence, by the decoder's account."""

    @property
    def glosses(self) -> tuple[str, ...]:
        return tuple(one.gloss for one in self.signed)


@dataclass(frozen=True)
class SentenceRecogniser(Loaded[SentenceModel]):
    """A trained model of sentences and what it takes to use it.

    >>> recogniser = slr_ray.SentenceRecogniser.load(sentences.checkpoint)
    >>> set(recogniser.predict(sentence)[0].glosses) <= set(recogniser.glosses)
    True

    `recogniser.predict("sentence.mp4")` extracts poses first, like those it was trained on.
    """

    @classmethod
    def load(cls, path: str | Path) -> SentenceRecogniser:
        """Read a checkpoint, a file or URI, such as OUT/seed_0/checkpoint.pt.

        Only tensors and plain values are loaded: a hostile file can run no code. Raises `DataError`
        where it is none of ours, or recognises isolated signs.
        """
        return of_sentences(load_checkpoint(str(path)), str(path))

    def predict(self, source: Source, *, models: str | Path | None = None) -> list[SignedSentence]:
        """The glosses of every clip of a corpus or its shards, of clips, or of a video.

        A video, or a folder of videos, is extracted in this process with the settings of the
        training poses; `models` is a folder of MediaPipe's .task bundles, which are fetched once
        if not given. Raises `DataError` where a video or a clip can't be used.
        """
        clips, ids = self.clips_of(source, models)
        return self.predicted(clips, np.arange(len(ids)), ids)

    def predicted(
        self, source: ReadableClips, clips: Int[np.ndarray, " clips"], clip_ids: Sequence[str]
    ) -> list[SignedSentence]:
        """`said` with names and in the order of the clips, whose ids are given in that order."""
        found = dict(self.said(source, clips))
        return [self._prediction(name, found[place]) for place, name in enumerate(clip_ids)]

    def said(
        self, source: ReadableClips, clips: Int[np.ndarray, " clips"]
    ) -> Iterator[tuple[int, Said]]:
        """What the model says of clips, with their places among `clips`; in no order."""
        place, settings, training = this_place(), self.config.sentences, self.config.training
        assert settings is not None
        for batch in step_probabilities(
            self.model.to(place.device),
            source,
            clips,
            normalisation=self.config.normalisation,
            training=training,
            device=place.device,
        ):
            num_frames = source.num_frames[clips[batch.places]]
            own = said(batch, num_frames, settings, training.max_frames)
            yield from zip(batch.places.tolist(), own, strict=True)

    def _prediction(self, clip_id: str, own: Said) -> SignedSentence:
        signed = zip(
            own.hypothesis.glosses.tolist(),
            own.times.tolist(),
            own.spike_frames.tolist(),
            own.segments.confidence.tolist(),
            strict=True,
        )
        return SignedSentence(
            clip_id,
            tuple(
                SignedGloss(self.glosses[gloss], start, end, spike, sure)
                for gloss, (start, end), spike, sure in signed
            ),
            own.hypothesis.log_probability,
        )


def of_sentences(found: Loaded[AnyRecogniser], origin: str) -> SentenceRecogniser:
    """A loaded checkpoint that recognises sentences; `DataError` where it does not."""
    if not isinstance(found.model, SentenceModel):
        raise DataError(
            f"{origin} recognises isolated signs, not sentences: slr_ray.Recogniser reads it"
        )
    return SentenceRecogniser(**vars(found))
