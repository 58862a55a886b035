"""Which frames carry no sign: `python -m slr_ray.boundary --algorithm greedy --data poses/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import NumThreads, SkipBroken, data_and_pool, laid_over

_ALGORITHMS = ("greedy", "search", "estimate")


def boundary(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="section.field=value, e.g. initialisation.num_steps=100"),
    ] = None,
    algorithm: Annotated[
        str,
        typer.Option(
            help="greedy: the paper's Algorithm 1. search: a model of the accuracy, fewer "
            "trainings. estimate: from the hands' height and speed, no training."
        ),
    ] = "greedy",
    data: Annotated[
        str | None,
        typer.Option(
            help="Pose shards: a Parquet file, a folder of them, or a cloud URI. "
            "Without it: the embedded corpus, whose true boundaries are known."
        ),
    ] = None,
    skip_broken: SkipBroken = False,
    preset: Annotated[
        str, typer.Option(help="What pre-training starts from, as in slr_ray.pretrain.")
    ] = "ssl_slr_small",
    config: Annotated[
        Path | None, typer.Option(help="A configuration; its preset replaces --preset.")
    ] = None,
    budget: Annotated[int, typer.Option(min=4, help="search: trainings.")] = 20,
    num_frames: Annotated[
        int | None,
        typer.Option(min=1, help="greedy: length of a clip; default: the median clip's."),
    ] = None,
    step_frames: Annotated[
        int | None, typer.Option(min=1, help="greedy: frames a step; default: a tenth of a clip.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="greedy: trainings a step.")] = 5,
    to_the_end: Annotated[
        bool,
        typer.Option(
            "--to-the-end",
            help="greedy: train the steps after the stop, too, for whole curves and histograms.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="search: which boundaries are tried.")] = 0,
    out: Annotated[
        str, typer.Option(help="Where results go; call again to go on after a stop.")
    ] = "boundary",
    num_threads: NumThreads = None,
) -> None:
    """Find the shares of a clip before and after the sign, for the boundary augmentation.

    Writes trainings.jsonl, found-ALGORITHM.json and plots to OUT: the accuracy of what was tried,
    and, where trainings were repeated, each clip's own boundary beside the one for all. Finished
    trainings are never done again; both algorithms share them.
    """
    with user_errors(CALL_AGAIN):
        if algorithm not in _ALGORITHMS:
            raise ConfigError(
                f"--algorithm: there is no {algorithm!r}; there are {', '.join(_ALGORITHMS)}"
            )
        from slr_ray.boundaries.run import BoundaryOptions, run_boundary, run_estimate
        from slr_ray.config import merge, read_yaml
        from slr_ray.experiment.opener import Opener
        from slr_ray.experiment.validation_checks import refuse_choosing

        sections = data_and_pool(data, overrides, skip_broken=skip_broken)
        fixed = {"initialisation": {"kind": "pretraining"}, "pool": {"kind": "all"}}
        over = laid_over({**fixed, **sections}, overrides or [])
        tree = read_yaml(config) if config is not None else {"preset": preset}
        origin, opener = str(config) if config is not None else "command line", Opener()
        prepared = opener.prepare(opener.build(merge(tree, over), origin))
        refuse_choosing(prepared.config.training, "this command")
        if algorithm == "estimate":
            run_estimate(prepared, out)
            return
        options = BoundaryOptions(
            algorithm="greedy" if algorithm == "greedy" else "search",
            num_trainings=budget,
            num_frames=num_frames,
            step_frames=step_frames,
            num_repeats=repeats,
            seed=seed,
            to_the_end=to_the_end,
        )
        run_boundary(prepared, options, out, num_threads)


def main() -> None:
    typer.run(boundary)


if __name__ == "__main__":
    main()
