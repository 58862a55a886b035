"""Glosses of clips: `python -m slr_ray.predict --checkpoint BEST VIDEO...` or pose shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slr_ray.command import user_errors

if TYPE_CHECKING:
    from slr_ray.methods.checkpoints import Loaded
    from slr_ray.models.config import AnyRecogniser
    from slr_ray.single.printing import Printer

_TOP = 5


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
    top: Annotated[
        int | None,
        typer.Option(min=1, help="Glosses a clip of an isolated sign.", show_default="5"),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            help="Of sentences: a folder for report.html and report.md, which draw what is signed "
            "when."
        ),
    ] = None,
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

    One of task=continuous gives the glosses of a sentence in their order, each with its frames.
    Only tensors and plain values are loaded from the checkpoint: a hostile file can run no code.
    Exit status 1 if some of several videos could not be used.
    """
    with user_errors():
        from slr_ray.methods.checkpoints import load_checkpoint, names_shards

        loaded = load_checkpoint(checkpoint)
        printer = _printer(checkpoint, loaded, top, out, json_lines)
        shards = [one for one in sources if names_shards(one)]
        videos = [Path(one) for one in sources if one not in shards]
        failures: list[str] = []
        if videos:
            failures = _predict_videos(printer, loaded.provenance, videos, models, fps, target_fps)
        if shards:
            _predict_shards(printer, shards, skip_broken)
        printer.end()
        if failures:
            from slr_ray.errors import RunFailed

            listed = "\n  ".join(failures)
            raise RunFailed(f"{len(failures)} of the videos could not be used:\n  {listed}")


def _printer(
    path: str, loaded: Loaded[AnyRecogniser], top: int | None, out: str | None, as_json: bool
) -> Printer:
    """By what the checkpoint recognises; `ConfigError` where the options are for the other kind."""
    from slr_ray.errors import ConfigError
    from slr_ray.methods.recogniser import of_signs
    from slr_ray.methods.sentence_recogniser import of_sentences
    from slr_ray.single.printing import SignPrinter
    from slr_ray.single.sentence_printing import SentencePrinter

    if loaded.config.task == "continuous":
        if top is not None:
            raise ConfigError(
                f"--top is for isolated signs: {path} recognises sentences, each of which has one "
                "answer. Leave it out"
            )
        return SentencePrinter(of_sentences(loaded, path), out, as_json=as_json)
    if out is not None:
        raise ConfigError(
            f"--out draws what is signed when, but {path} recognises isolated signs. Leave it out, "
            "or use a checkpoint of task=continuous"
        )
    return SignPrinter(of_signs(loaded, path), _TOP if top is None else top, as_json=as_json)


def _predict_videos(
    printer: Printer,
    provenance: Sequence[dict[str, Any]],
    videos: list[Path],
    models: Path | None,
    fps: float | None,
    target_fps: float | None,
) -> list[str]:
    """Extracted like the training poses; returns why some could not be used."""
    from slr_ray.console import literal_console
    from slr_ray.errors import DataError
    from slr_ray.videos.detection.in_memory import extract_clips, settings_like

    settings, note = settings_like(provenance, target_fps)
    if note is not None:
        typer.echo(note, err=True)
    found = extract_clips(videos, settings, models, literal_console(stderr=True), fps)
    for told in found.notes:
        typer.echo(f"note: {told}", err=True)
    if not found.clips:
        raise DataError("; ".join(found.failures))
    printer.add_videos(found.clips)
    return found.failures


def _predict_shards(printer: Printer, shards: list[str], skip_broken: bool) -> None:
    from slr_ray.corpora.corpus import open_shards

    for corpus in [open_shards(one, skip_broken=skip_broken) for one in shards]:
        printer.check(corpus)
        printer.add_corpus(corpus)
        for skipped in corpus.skipped:
            typer.echo(f"skipped {skipped.clip_id}: {skipped.reason}", err=True)


def main() -> None:
    typer.run(predict)


if __name__ == "__main__":
    main()
