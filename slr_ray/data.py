"""`python -m slr_ray.data`: bring pose data of other formats in, and look at what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slr_ray.command import user_errors
from slr_ray.locations import local_path

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Bring pose data of other formats in, and look at what is there.",
)

SkipBroken = Annotated[
    bool,
    typer.Option("--skip-broken", help="Leave broken clips out, counted and listed."),
]


@app.command("import")
@user_errors()
def import_(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="File or folder to read.")],
    out: Annotated[
        str,
        typer.Argument(metavar="OUT", help="Pose shard to write: a .parquet file or a folder."),
    ],
    source_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="spoter_csv, mp_data, asl_signs, pose, openpose or coco_wholebody; sentences: "
            "phoenix14, phoenix14t, csl_daily, gloss_table, isharah or mska.",
        ),
    ],
    signer: Annotated[
        str | None,
        typer.Option(help="Signer of clips for which SRC names none; else unknown."),
    ] = None,
    glosses: Annotated[
        Path | None,
        typer.Option(
            help="Names of spoter_csv's numbered labels: a text file, one gloss a line, with or "
            "without its number, or JSON."
        ),
    ] = None,
    labels_from: Annotated[
        int | None,
        typer.Option(help="The label of the first of --glosses: 0 or 1; else 1, as SPOTER counts."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames a second of clips for which SRC names none; else unknown."),
    ] = None,
    picture_size: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHxHEIGHT",
            help="Size of the videos, for openpose, coco_wholebody, mska and isharah in pixels.",
        ),
    ] = None,
    poses: Annotated[
        str | None,
        typer.Option(
            metavar="SHARDS",
            help="Pose shards of the clips that phoenix14, phoenix14t, csl_daily or gloss_table "
            "name.",
        ),
    ] = None,
    skip_broken: SkipBroken = False,
) -> None:
    """Convert pose data into a pose shard (Parquet)."""
    from slr_ray.corpora.importers.conversion import convert

    convert(
        source,
        local_path(out),
        source_format=source_format,
        signer=signer,
        glosses_file=glosses,
        labels_from=labels_from,
        fps=fps,
        picture_size=picture_size,
        poses=poses,
        skip_broken=skip_broken,
    )


@app.command()
@user_errors()
def chain(
    source: Annotated[
        str,
        typer.Argument(metavar="SRC", help="Pose shard of isolated signs, a folder, or a URI."),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Pose shard to write: a .parquet.")],
    shortest: Annotated[int, typer.Option(min=2, help="Glosses of a sentence, at least.")] = 2,
    longest: Annotated[int, typer.Option(min=2, help="Glosses of a sentence, at most.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Which clips make which sentence.")] = 0,
    skip_broken: SkipBroken = False,
) -> None:
    """Chain each signer's isolated clips to sentences, with synthetic transitions."""
    from slr_ray.boundaries import chaining
    from slr_ray.boundaries.chains import ChainConfig

    config = ChainConfig(shortest=shortest, longest=longest, seed=seed)
    chaining.chain(source, local_path(out), config, skip_broken=skip_broken)


@app.command()
@user_errors()
def inspect(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="Pose shard, a folder of them, or a URI.")
    ],
    out: Annotated[
        str | None,
        typer.Option(
            help="Folder for pictures, index.html and statistics.json; "
            "./inspection/NAME if not given."
        ),
    ] = None,
    clip: Annotated[
        list[str] | None,
        typer.Option(
            help="Id of a clip to draw (repeat for more); a few typical ones otherwise. Clips that "
            "`slr_ray.extract` made are drawn over their video too."
        ),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(help="The video of the one clip given with --clip, if it is elsewhere now."),
    ] = None,
    skip_broken: SkipBroken = False,
) -> None:
    """Count, check and draw what is in pose shards."""
    from slr_ray.corpora.corpus import open_shards
    from slr_ray.corpora.inspection.footage import find_footage, footage_by_hand
    from slr_ray.corpora.inspection.inspection import inspect_corpus
    from slr_ray.corpora.inspection.page import find_clips, typical_clips, write_page
    from slr_ray.corpora.inspection.tables import print_inspection
    from slr_ray.errors import DataError

    if video is not None and len(clip or []) != 1:
        raise DataError("--video is the video of one clip: name it with --clip, and only it")
    # Before a corpus is looked through.
    folder = None if out is None else local_path(out)
    corpus = open_shards(source, skip_broken=skip_broken)
    chosen = find_clips(corpus, clip or []) or typical_clips(corpus)
    clip_ids = [corpus.clip_ids[index].as_py() for index in chosen]
    footage = find_footage(source, corpus.provenance, clip_ids)
    if video is not None:
        footage[clip_ids[0]] = footage_by_hand(video, clip_ids[0], corpus.provenance, footage)
    inspection = inspect_corpus(corpus)
    print_inspection(inspection)
    page, notes = write_page(
        corpus, inspection, folder or Path("inspection") / corpus.name, chosen, footage
    )
    for clip_id in clip or []:
        if clip_id in notes:
            typer.echo(f"clip {clip_id!r}: {notes[clip_id]}", err=True)
    typer.echo(f"pictures and tables: {page}")


def main() -> None:
    """Entry of `slr-ray data` and of this module."""
    app()


if __name__ == "__main__":
    main()
