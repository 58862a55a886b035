"""Top-5 glosses of clips: `python -m slr_ray.predict --checkpoint BEST VIDEO...` or pose shards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slr_ray.command import user_errors

if TYPE_CHECKING:
    from slr_ray.corpora.corpus import Corpus
    from slr_ray.methods.recogniser import Recogniser
    from slr_ray.poses.clip import Clip
    from slr_ray.videos.detection.config import ExtractionConfig
    from slr_ray.videos.detection.models import Models
    from slr_ray.videos.detection.source import VideoClip

_CHUNK_CLIPS = 4096


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Videos, folders of videos, or pose shards (a Parquet file, a folder, a URI).",
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
) -> None:
    """Predict the glosses of clips with a trained checkpoint.

    Only tensors and plain values are loaded from the checkpoint: a hostile file can run no code.
    Exit status 1 if some of several videos could not be used.
    """
    with user_errors():
        from slr_ray.methods.recogniser import load_recogniser

        recogniser = load_recogniser(checkpoint)
        shards = [one for one in sources if _is_shards(one)]
        videos = [Path(one) for one in sources if one not in shards]
        failures: list[str] = []
        corpora = []
        if videos:
            settings = _settings(recogniser.provenance, target_fps)
            corpus, failures = _extracted(videos, models, settings)
            corpora.append(corpus)
        if shards:
            from slr_ray.corpora.corpus import open_shards

            corpora += [open_shards(one, skip_broken=skip_broken) for one in shards]
        _print(recogniser, corpora, top, as_json=json_lines)
        if failures:
            from slr_ray.errors import RunFailed

            listed = "\n  ".join(failures)
            raise RunFailed(f"{len(failures)} of the videos could not be used:\n  {listed}")


def _is_shards(source: str) -> bool:
    """Whether a source is pose shards: by its name, or for a folder by what is in it."""
    from slr_ray.storage import is_uri

    path = Path(source)
    if is_uri(source) or path.suffix == ".parquet":
        return True
    return path.is_dir() and next(path.rglob("*.parquet"), None) is not None


def _settings(provenance: tuple[dict[str, Any], ...], target_fps: float | None) -> ExtractionConfig:
    """Videos are extracted like the training poses; a note says where that is not possible."""
    from slr_ray.config import build
    from slr_ray.videos.detection.config import ExtractionConfig, settings_of

    trained = settings_of(provenance)
    tree = trained[0] if len(trained) == 1 else None
    if tree is None:
        how = "in several ways" if len(trained) > 1 else "by something else than slr_ray.extract"
        typer.echo(
            f"note: the training poses were extracted {how}; videos are extracted with the "
            "default settings, and predictions may be worse than on the test set",
            err=True,
        )
    over = {} if target_fps is None else {"target_fps": target_fps}
    return build(ExtractionConfig, {**(tree or {}), **over}, "--target-fps")


def _extracted(
    sources: list[Path], models_folder: Path | None, config: ExtractionConfig
) -> tuple[Corpus, list[str]]:
    """The videos' poses as a corpus, and why others have none. `DataError` if none has any."""
    import hashlib

    from slr_ray.corpora.corpus import open_cached
    from slr_ray.errors import DataError
    from slr_ray.videos.detection.files import video_clips
    from slr_ray.videos.detection.models import models

    videos = video_clips(sources)
    bundles = models(models_folder, config.pose_model)
    clips, failures, provenance = _extract(videos, config, bundles)
    if not clips:
        raise DataError("; ".join(failures))
    content = hashlib.sha256()
    for clip in clips:
        content.update(repr((clip.clip_id, clip.fps, clip.num_frames)).encode())
        content.update(clip.positions.tobytes() + clip.confidence.tobytes())
    corpus = open_cached(
        f"videos-{content.hexdigest()[:24]}",
        "videos",
        lambda: clips,
        provenance=lambda: [provenance],
    )
    return corpus, failures


def _extract(
    videos: list[VideoClip], config: ExtractionConfig, models: Models
) -> tuple[list[Clip], list[str], dict[str, Any]]:
    from rich.console import Console

    from slr_ray.progress import ProgressBar
    from slr_ray.videos.detection.extractor import Extractor
    from slr_ray.videos.detection.source import ExtractionFailed

    clips: list[Clip] = []
    failures: list[str] = []
    bar = ProgressBar(Console(stderr=True), "extracting poses", len(videos))
    with Extractor(config, models) as extractor, bar:
        for video in bar.over(videos):
            try:
                clips.append(extractor.extract(video).clip)
            except ExtractionFailed as error:
                failures.append(str(error))
        return clips, failures, extractor.provenance()


def _print(recogniser: Recogniser, corpora: list[Corpus], top: int, *, as_json: bool) -> None:
    import json

    import numpy as np
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("clip", "true gloss", f"top {top} glosses with probability"):
        table.add_column(heading, overflow="fold")
    for corpus in corpora:
        for start in range(0, corpus.num_clips, _CHUNK_CLIPS):
            clips = np.arange(start, min(start + _CHUNK_CLIPS, corpus.num_clips))
            probabilities = recogniser.probabilities(corpus, clips)
            order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
            for clip, row, best in zip(clips, probabilities, order, strict=True):
                ranked = [(recogniser.glosses[one], float(row[one])) for one in best]
                clip_id = corpus.clip_ids[int(clip)].as_py()
                index = int(corpus.gloss_index[clip])
                gloss = corpus.glosses[index] if index >= 0 else None
                if as_json:
                    answer = {"clip_id": clip_id, "gloss": gloss, "top": ranked}
                    typer.echo(json.dumps(answer, ensure_ascii=False))
                else:
                    text = "  ".join(f"{name} {share:.2f}" for name, share in ranked)
                    table.add_row(clip_id, gloss or "", text)
    if not as_json:
        Console().print(table)
    for corpus in corpora:
        for one in corpus.skipped:
            typer.echo(f"skipped {one.clip_id}: {one.reason}", err=True)


def main() -> None:
    typer.run(predict)


if __name__ == "__main__":
    main()
