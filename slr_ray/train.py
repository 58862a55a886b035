"""Run one experiment in this process: `python -m slr_ray.train --config RUN/best/config.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slr_ray.command import user_errors


def train(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="section.field=value, e.g. method.num_rounds=3")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A configuration; without it the defaults.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Label draw, weights and order of clips.")] = 0,
    out: Annotated[
        Path, typer.Option(help="Where results go; run again to go on after an interruption.")
    ] = Path("trained"),
    num_threads: Annotated[int | None, typer.Option(min=1, help="Threads; default: all.")] = None,
) -> None:
    """Train, choose the round on validation and evaluate that model once on the test set.

    Writes config.yaml, record.json and checkpoint.pt below OUT/final; finished rounds are kept in
    OUT/stages and not trained again.
    """
    with user_errors():
        from slr_ray.config import merge, parse_overrides, read_yaml, set_dotted
        from slr_ray.methods.experiment import experiment
        from slr_ray.search.single import run_single

        tree = read_yaml(config) if config is not None else {}
        over: dict[str, object] = {}
        for dotted, value in parse_overrides(overrides or []).items():
            set_dotted(over, dotted, value)
        origin = str(config) if config is not None else "command line"
        run_single(experiment(merge(tree, over), origin), seed, out, num_threads)


def main() -> None:
    typer.run(train)


if __name__ == "__main__":
    main()
