"""What `slr_ray.predict` tells of sentences: glosses with their times, and how they look."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import typer
from jaxtyping import Int

from slr_ray.corpora.corpus import Corpus
from slr_ray.documents.document import Block, Document, Figure, Paragraph, Picture, Section
from slr_ray.documents.pages import write_document
from slr_ray.experiment.data_summary import clips_text
from slr_ray.methods.sentence_recogniser import SentenceRecogniser, SignedGloss, SignedSentence
from slr_ray.poses.clip import Clip
from slr_ray.poses.drawing import draw_strip
from slr_ray.poses.reading import WholeClips
from slr_ray.poses.sentence import Sentence
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.reporting.sentences.timelines import rate, timeline
from slr_ray.reporting.wording import percent
from slr_ray.single.printing import Printer, tell_unknown

_MAX_DRAWN = 100
"""Clips on a page: more are too much to look at, and to load."""


class SentencePrinter(Printer):
    """The glosses of sentences with where each begins and ends; a page of them, if asked for."""

    columns = ("clip", "true glosses", "predicted", "frames", "seconds", "WER")
    unbroken = ("predicted", "frames", "seconds", "WER")

    def __init__(self, recogniser: SentenceRecogniser, out: str | None, *, as_json: bool) -> None:
        super().__init__(as_json=as_json)
        self._recogniser, self._out = recogniser, out
        self._sections: list[Section] = []
        self._num_clips = 0

    def check(self, corpus: Corpus) -> None:
        if not corpus.has_sentences and corpus.is_labelled.any():
            typer.echo(
                f"note: {corpus.name} has isolated signs, and the checkpoint was trained on "
                "sentences",
                err=True,
            )
        if corpus.has_sentences:
            tell_unknown(corpus, self._recogniser.glosses)

    def add(self, source: WholeClips, clips: Int[np.ndarray, " clips"]) -> None:
        asked = [source.clip(one) for one in clips.tolist()]
        found = self._recogniser.predicted(source, clips, [one.clip_id for one in asked])
        for clip, one in zip(asked, found, strict=True):
            self._tell_thinned(clip)
            self._tell(clip, one)
            self._num_clips += 1
            if self._out is not None and len(self._sections) < _MAX_DRAWN:
                self._sections.append(_section(f"clip{len(self._sections)}", clip, one))

    def end(self) -> None:
        super().end()
        if self._out is None:
            return
        model = self._recogniser.config.model.kind
        shown = f", the first {len(self._sections)} of them drawn"
        subtitle = (
            f"{clips_text(self._num_clips)}{shown * (self._num_clips > len(self._sections))} · "
            f"{len(self._recogniser.glosses):,} glosses · {model}"
        )
        for location in write_document(
            Document("What is signed when", subtitle, self._sections), self._out
        ):
            typer.echo(location, err=self._as_json)

    def _tell(self, clip: Clip, one: SignedSentence) -> None:
        known = clip.sentence
        answer = {
            "clip_id": one.clip_id,
            "glosses": None if known is None else known.glosses,
            "predicted": [_as_json(signed, clip.fps) for signed in one.signed],
            "fps": clip.fps,
            "num_frames": clip.num_frames,
            "log_probability": one.log_probability,
        }
        self.told(
            answer,
            one.clip_id,
            "" if known is None else " ".join(known.glosses),
            "\n".join(one.glosses) or "–",
            "\n".join(f"{signed.start}-{signed.end}" for signed in one.signed),
            "\n".join(_seconds(one.signed, clip.fps)),
            "" if known is None else percent(rate(_record(clip, one))),
        )

    def _tell_thinned(self, clip: Clip) -> None:
        longest = self._recogniser.config.training.max_frames
        if longest is not None and clip.num_frames > longest:
            typer.echo(
                f"note: {clip.clip_id} has {clip.num_frames:,} frames, of which the model reads "
                f"{longest}, evenly spread: cut it into sentences, or it misses glosses",
                err=True,
            )


def _as_json(signed: SignedGloss, fps: float | None) -> dict[str, object]:
    seconds = {} if fps is None else {"start_s": signed.start / fps, "end_s": signed.end / fps}
    return {**asdict(signed), **seconds}


def _seconds(signed: Sequence[SignedGloss], fps: float | None) -> list[str]:
    return [] if fps is None else [f"{one.start / fps:.2f}-{one.end / fps:.2f}" for one in signed]


def _section(anchor: str, clip: Clip, one: SignedSentence) -> Section:
    """A clip's frames in the middles of the predicted glosses, and the lanes below."""
    times = tuple((signed.start, signed.end) for signed in one.signed)
    said = Sentence(one.glosses, times) if one.signed else None
    strip = io.BytesIO()
    draw_strip(replace(clip, sentence=said)).save(strip, format="PNG", optimize=True)
    answer = _record(clip, one)
    per_second = "" if clip.fps is None else f" at {clip.fps:g} a second"
    told = [f"{clip.num_frames} frames{per_second}"]
    if clip.sentence is not None:
        known = clip.sentence
        told += [f"true: {' '.join(known.glosses)}", f"WER {percent(rate(answer))}"]
        told += [known.text] if known.text is not None else []
    alt = f"Glosses of {clip.clip_id} over its frames: {' '.join(one.glosses) or 'none'}"
    blocks: list[Block] = [
        Paragraph(" · ".join(told)),
        Picture(f"{anchor}.png", strip.getvalue(), "frames of the clip"),
        Figure(f"{anchor}_glosses", timeline(answer, alt)),
    ]
    return Section(anchor, clip.clip_id, blocks)


def _record(clip: Clip, one: SignedSentence) -> SentencePrediction:
    known = clip.sentence
    times = None if known is None else known.times
    return SentencePrediction(
        clip_id=one.clip_id,
        signer=clip.signer,
        num_frames=clip.num_frames,
        glosses=() if known is None else known.glosses,
        starts=None if times is None else tuple(start for start, _ in times),
        ends=None if times is None else tuple(end for _, end in times),
        predicted=one.glosses,
        predicted_starts=tuple(signed.start for signed in one.signed),
        predicted_ends=tuple(signed.end for signed in one.signed),
        spikes=tuple(signed.spike for signed in one.signed),
    )
