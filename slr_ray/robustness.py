"""What a checkpoint withstands: `python -m slr_ray.robustness --checkpoint BEST`."""

from __future__ import annotations

from typing import Annotated

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.options import NumThreads


def robustness(
    checkpoint: Annotated[
        str, typer.Option(help="A checkpoint, file or URI, such as RUN/best/checkpoint.pt.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            help="Strengths, e.g. rotation=[-20,20] or scale=[] to leave a kind out; seed=1, "
            "picture_aspect=1.78"
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Where the pose shards of its training lie now, if they were moved."),
    ] = None,
    out: Annotated[
        str, typer.Option(help="Where results go; what is finished there is not repeated.")
    ] = "robustness",
    num_threads: NumThreads = None,
) -> None:
    """Measure a trained checkpoint on its test clips under perturbations of graded strength.

    scale, translation, rotation, mirror, dropped_joints, dropped_frames and frame_rate, in image
    coordinates and deterministic by seed, beside the clips as they are. Writes robustness.json, the
    answers on every clip and a report with curves to OUT. The test clips are those of the
    checkpoint's own experiment, which it has never seen.
    """
    with user_errors(CALL_AGAIN):
        from slr_ray.config import build
        from slr_ray.console import literal_console
        from slr_ray.evaluation.perturbations import Perturbations
        from slr_ray.options import laid_over
        from slr_ray.single.robustness import run_robustness

        tried = build(Perturbations, laid_over({}, settings or []), "command line")
        run_robustness(checkpoint, data, tried, out, num_threads, literal_console())


def main() -> None:
    typer.run(robustness)


if __name__ == "__main__":
    main()
