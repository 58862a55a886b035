"""Command line options that several commands have in common; typer only, so that help is fast."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Data: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Pose shards: a Parquet file, a folder of them, or a cloud URI. "
        "Without it: the embedded corpus."
    ),
]
ExtraData: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="More pose shards to learn from; may be repeated.")
]
LabelledFraction: TypeAlias = Annotated[
    float | None, typer.Option(help="Share of the training clips that keep their labels.")
]
LabelledSigners: TypeAlias = Annotated[
    int | None, typer.Option(help="Training signers whose clips all keep their labels.")
]
Address: TypeAlias = Annotated[
    str | None, typer.Option(help="A Ray cluster's address, or auto. Without it: this machine.")
]
NumThreads: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Threads; default: all.")]
