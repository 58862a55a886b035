"""Top-5 glosses of clips: `python -m slr_ray.predict --checkpoint BEST VIDEO...` or pose shards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slr_ray.command import user_errors

if TYPE_CHECKING:
    import numpy as np

    from slr_ray.methods.recogniser import Recogniser
    from slr_ray.poses.reading import ReadableClips

_CHUNK_CLIPS = 4096


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Videos, folders of videos, folders of pictures (one a frame), or pose shards (a "
            "Parquet file, a folder, a URI).",
        ),
    ],
    checkpoint: Annotated[
        str, typer.Option(help="A checkpoint, file or URI, such as RUN/best/checkpoint.pt.")
    ],
    json_lines: Annotated[
        bool, typer.Option("--json", help="One JSON object a clip instead of a table.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Glosses a clip.")] = 5,
    skip_broken: Annotated[bool, typer.Option(help="Leave unusable clips of shards out.")] = False,
    models: Annotated[
        Path | None,
        typer.Option(help="Folder of MediaPipe's .task bundles; fetched once if not given."),
    ] = None,
    target_fps: Annotated[
        float | None,
        typer.Option(help="Frames a second of videos; else what the training poses had."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, help="Frames a second that folders of pictures were filmed at."),
    ] = None,
) -> None:
    """Predict the glosses of clips with a trained checkpoint.

    Only tensors and plain values are loaded from the checkpoint: a hostile file can run no code.
    Exit status 1 if some of several videos could not be used.
    """
    with user_errors():
        from slr_ray.methods.recogniser import load_recogniser
        from slr_ray.poses.shards import are_shards

        recogniser = load_recogniser(checkpoint)
        shards = [one for one in sources if are_shards(one)]
        videos = [Path(one) for one in sources if one not in shards]
        printer = _Printer(recogniser, top, as_json=json_lines)
        failures: list[str] = []
        if videos:
            failures = _predict_videos(printer, videos, models, fps, target_fps)
        if shards:
            _predict_shards(printer, shards, skip_broken)
        printer.end()
        if failures:
            from slr_ray.errors import RunFailed

            listed = "\n  ".join(failures)
            raise RunFailed(f"{len(failures)} of the videos could not be used:\n  {listed}")


def _predict_videos(
    printer: _Printer,
    videos: list[Path],
    models: Path | None,
    fps: float | None,
    target_fps: float | None,
) -> list[str]:
    """Extracted like the training poses; returns why some could not be used."""
    import numpy as np
    from rich.console import Console

    from slr_ray.errors import DataError
    from slr_ray.poses.reading import ClipsInMemory
    from slr_ray.videos.detection.in_memory import extract_clips, settings_like

    settings, note = settings_like(printer.recogniser.provenance, target_fps)
    if note is not None:
        typer.echo(note, err=True)
    found = extract_clips(videos, settings, models, Console(stderr=True), fps)
    for told in found.notes:
        typer.echo(f"note: {told}", err=True)
    if not found.clips:
        raise DataError("; ".join(found.failures))
    ids = [one.clip_id for one in found.clips]
    printer.add(ClipsInMemory(found.clips), np.arange(len(ids)), ids, [None] * len(ids))
    return found.failures


def _predict_shards(printer: _Printer, shards: list[str], skip_broken: bool) -> None:
    import numpy as np

    from slr_ray.corpora.clip_kinds import refuse_sentences
    from slr_ray.corpora.corpus import open_shards

    for corpus in [open_shards(one, skip_broken=skip_broken) for one in shards]:
        refuse_sentences(corpus, "use a checkpoint of task=continuous")
        for start in range(0, corpus.num_clips, _CHUNK_CLIPS):
            clips = np.arange(start, min(start + _CHUNK_CLIPS, corpus.num_clips))
            printer.add(
                corpus,
                clips,
                corpus.clip_ids.take(clips).to_pylist(),
                [corpus.gloss_of(int(one)) for one in clips],
            )
        for skipped in corpus.skipped:
            typer.echo(f"skipped {skipped.clip_id}: {skipped.reason}", err=True)


class _Printer:
    """Predictions as they come: lines of JSON, or a table at the end."""

    def __init__(self, recogniser: Recogniser, top: int, *, as_json: bool) -> None:
        from rich.table import Table

        self.recogniser, self._top, self._as_json = recogniser, top, as_json
        self._table = Table(box=None, header_style="bold", pad_edge=False)
        for heading in ("clip", "true gloss", f"top {top} glosses with probability"):
            self._table.add_column(heading, overflow="fold")

    def add(
        self,
        source: ReadableClips,
        clips: np.ndarray,
        clip_ids: list[str],
        glosses: list[str | None],
    ) -> None:
        found = self.recogniser.ranked(source, clips, clip_ids, self._top)
        for one, gloss in zip(found, glosses, strict=True):
            if self._as_json:
                answer = {"clip_id": one.clip_id, "gloss": gloss, "top": one.top}
                typer.echo(json.dumps(answer, ensure_ascii=False))
            else:
                text = "  ".join(f"{name} {share:.2f}" for name, share in one.top)
                self._table.add_row(one.clip_id, gloss or "", text)

    def end(self) -> None:
        from rich.console import Console

        if not self._as_json:
            Console().print(self._table)


def main() -> None:
    typer.run(predict)


if __name__ == "__main__":
    main()
