"""Poses out of videos: `python -m slr_ray.extract VIDEOS --out POSES`, here or on a cluster.

This module starts fast: MediaPipe and Ray are imported once the command line has been read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError, DataError
from slr_ray.options import Address

if TYPE_CHECKING:
    from slr_ray.videos.detection.config import ExtractionConfig
    from slr_ray.videos.manifests.manifest import Manifest, ManifestOptions


def extract(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VIDEOS] [SETTING=VALUE]...",
            help="A folder, a glob, a manifest (.csv, .parquet), s3:// or gs://; and settings such "
            "as target_fps=25, pose_model=lite, smoothing.kind=one_euro.",
        ),
    ] = None,
    out: Annotated[
        str, typer.Option(help="Folder or URI for the pose shards; the same again to go on.")
    ] = "poses",
    corpus: Annotated[
        str | None,
        typer.Option(
            help="wlasl, asl_citizen, lsa64, gsl or lsfb_isol; sentences: phoenix14, phoenix14t or "
            "csl_daily."
        ),
    ] = None,
    videos: Annotated[
        str | None, typer.Option(help="Where the videos of --corpus or of a manifest are.")
    ] = None,
    metadata: Annotated[
        Path | None, typer.Option(help="The corpus's file, such as WLASL_v0.3.json, or folder.")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="What folders mean: gloss/clip, signer/gloss/clip, gloss/signer/clip, "
            "category/gloss/clip, split/gloss/clip, flat or lsa64."
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="What names mean, e.g. '{gloss}_{signer}_{n}' or '{signer}/{gloss}/{n}'"),
    ] = None,
    signer: Annotated[
        str | None, typer.Option(help="Signer of clips for which nothing names one.")
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Frames a second of folders of pictures (PNG, JPEG), one folder a clip."
        ),
    ] = None,
    skip_broken: Annotated[
        bool, typer.Option(help="Skip and list entries that make no sense, instead of stopping.")
    ] = False,
    require_all: Annotated[
        bool, typer.Option(help="Stop if a video that the metadata names is not there.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    models: Annotated[
        Path | None, typer.Option(help="Folder of MediaPipe's .task files, for closed networks.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option(help="Try clips that failed in earlier calls again.")
    ] = False,
    min_actors: Annotated[int, typer.Option(min=1, help="Workers to keep at least.")] = 1,
    max_actors: Annotated[
        int | None, typer.Option(min=1, help="Workers at most; else one a processor.")
    ] = None,
    cpus_per_actor: Annotated[
        float, typer.Option(min=0.1, help="Processors that a worker reserves.")
    ] = 1.0,
    address: Address = None,
    wait_for_nodes: Annotated[
        bool, typer.Option(help="Wait for an autoscaler to add nodes that can hold a worker.")
    ] = False,
    shard_size: Annotated[int, typer.Option(min=1, help="MiB of a pose shard, about.")] = 64,
) -> None:
    """Extract poses from videos with MediaPipe. Stopped or killed, the same call goes on.

    Exit status: 0 when every clip was extracted, 1 when a clip failed, 2 when the call can't work.
    """
    with user_errors(CALL_AGAIN):
        from slr_ray.videos.manifests.manifest import ManifestOptions

        source, overrides = _arguments(arguments or [])
        settings = _settings(config, overrides)
        options = ManifestOptions(signer, layout, pattern, videos, fps, skip_broken)
        manifest = _manifest(source, corpus, metadata, options)
        if require_all and manifest.absent:
            first = ", ".join(one.clip_id for one in manifest.absent[:5])
            raise DataError(
                f"{len(manifest.absent)} videos are not in {videos!r}, e.g. {first}; without "
                "--require-all they are left out"
            )
        status = _run(
            manifest,
            out,
            settings,
            models=models,
            address=address,
            retry_failed=retry_failed,
            pool=(min_actors, max_actors, cpus_per_actor, address is not None, wait_for_nodes),
            shard_size_mib=shard_size,
        )
    raise SystemExit(status)


def _run(
    manifest: Manifest,
    out: str,
    settings: ExtractionConfig,
    *,
    models: Path | None,
    address: str | None,
    retry_failed: bool,
    pool: tuple[int, int | None, float, bool, bool],
    shard_size_mib: int,
) -> int:
    from slr_ray.console import literal_console
    from slr_ray.videos.pipeline.pipeline import Pool
    from slr_ray.videos.pipeline.run import RunOptions
    from slr_ray.videos.pipeline.run import extract as run

    if pool[1] is not None and pool[0] > pool[1]:
        raise ConfigError(f"--min-actors {pool[0]} is more than --max-actors {pool[1]}")
    options = RunOptions(Pool(*pool), models, address, retry_failed, shard_size_mib * 2**20)
    result = run(manifest, out, settings, options, literal_console())
    return 1 if result.num_failed else 0


def _arguments(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The source of videos, and the settings among the arguments."""
    # A URI may have a query, as s3://bucket?region=eu-west-1.
    overrides = [
        one for one in arguments if "=" in one.partition("://")[0] and not Path(one).exists()
    ]
    sources = [one for one in arguments if one not in overrides]
    if len(sources) > 1:
        raise ConfigError(
            f"one source at a time, not {len(sources)} ({sources[0]!r}, {sources[1]!r}, ...); "
            "put a glob into quotes, or list the videos in a manifest"
        )
    return (sources[0] if sources else None), overrides


def _settings(file: Path | None, overrides: list[str]) -> ExtractionConfig:
    from slr_ray.config import as_tree, build, merge, parse_overrides, read_yaml
    from slr_ray.videos.detection.config import ExtractionConfig

    tree = merge(read_yaml(file) if file else {}, as_tree(parse_overrides(overrides)))
    return build(ExtractionConfig, tree, str(file) if file and not overrides else "settings")


def _manifest(
    source: str | None, corpus: str | None, metadata: Path | None, options: ManifestOptions
) -> Manifest:
    from slr_ray.videos.manifests import read_corpus, read_manifest

    if (source is None) == (corpus is None):
        raise ConfigError(
            "name the videos: a folder, a glob, a manifest or a URI"
            if source is None
            else f"give videos ({source!r}) or --corpus {corpus}, not both; --corpus has --videos"
        )
    if corpus is not None:
        return read_corpus(corpus, metadata, options)
    if metadata is not None:
        raise ConfigError("--metadata is for --corpus; pass a manifest as the first argument")
    return read_manifest(str(source), options)


def main() -> None:
    """Entry of `slr-ray extract` and of this module."""
    typer.run(extract)


if __name__ == "__main__":
    main()
