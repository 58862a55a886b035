"""What `slr_ray.predict` prints: a table, or lines of JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import typer
from jaxtyping import Int
from rich.console import OverflowMethod
from rich.table import Table

from slr_ray.console import literal_console
from slr_ray.corpora.clip_kinds import refuse_sentences
from slr_ray.corpora.corpus import Corpus
from slr_ray.methods.recogniser import Recogniser
from slr_ray.poses.clip import Clip
from slr_ray.poses.reading import ClipsInMemory, WholeClips

_CHUNK_CLIPS = 1024


class Printer(ABC):
    """Predictions as they come: lines of JSON, or a table at the end."""

    columns: ClassVar[tuple[str, ...]]
    unbroken: ClassVar[tuple[str, ...]] = ()
    """Columns whose lines belong together: a name that is too long is cut off."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._table = Table(box=None, header_style="bold", pad_edge=False)
        for heading in self.columns:
            whole = heading in self.unbroken
            overflow: OverflowMethod = "ellipsis" if whole else "fold"
            self._table.add_column(heading, overflow=overflow, no_wrap=whole)

    @abstractmethod
    def check(self, corpus: Corpus) -> None:
        """Tell, or refuse with a `ConfigError`, what does not fit what the model learnt."""

    @abstractmethod
    def add(self, source: WholeClips, clips: Int[np.ndarray, " clips"]) -> None:
        """Predict some clips of `source`."""

    def add_videos(self, clips: Sequence[Clip]) -> None:
        """The clips of videos."""
        self.add(ClipsInMemory(clips), np.arange(len(clips)))

    def add_corpus(self, corpus: Corpus) -> None:
        """All clips of a corpus."""
        for start in range(0, corpus.num_clips, _CHUNK_CLIPS):
            self.add(corpus, np.arange(start, min(start + _CHUNK_CLIPS, corpus.num_clips)))

    def end(self) -> None:
        """There are no more clips."""
        if not self._as_json:
            literal_console().print(self._table)

    def told(self, answer: dict[str, Any], *row: str) -> None:
        """One clip's answer, as JSON has it and as the table."""
        if self._as_json:
            typer.echo(json.dumps(answer, ensure_ascii=False))
        else:
            self._table.add_row(*row)


class SignPrinter(Printer):
    """The likeliest glosses of isolated signs."""

    columns = ("clip", "true gloss", "likeliest glosses with probability")

    def __init__(self, recogniser: Recogniser, top: int, *, as_json: bool) -> None:
        super().__init__(as_json=as_json)
        self._recogniser, self._top = recogniser, top

    def check(self, corpus: Corpus) -> None:
        refuse_sentences(corpus, "use a checkpoint of task=continuous")
        tell_unknown(corpus, self._recogniser.glosses)

    def add(self, source: WholeClips, clips: Int[np.ndarray, " clips"]) -> None:
        asked = [source.clip(one) for one in clips.tolist()]
        ids = [one.clip_id for one in asked]
        found = self._recogniser.ranked(source, clips, ids, self._top)
        for clip, one in zip(asked, found, strict=True):
            text = "  ".join(f"{name} {share:.2f}" for name, share in one.top)
            answer = {"clip_id": one.clip_id, "gloss": clip.gloss, "top": one.top}
            self.told(answer, one.clip_id, clip.gloss or "", text)


def tell_unknown(corpus: Corpus, known: Sequence[str]) -> None:
    """Note the glosses of what is predicted that a model can't say."""
    unknown = set(corpus.glosses) - set(known)
    if unknown:
        typer.echo(
            f"note: the checkpoint does not know {len(unknown):,} of the "
            f"{len(corpus.glosses):,} glosses of {corpus.name}, and says others for them",
            err=True,
        )
