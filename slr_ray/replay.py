"""Rules on a round's saved predictions: `python -m slr_ray.replay RUN --rule "threshold"`."""

from __future__ import annotations

from typing import Annotated

import typer

from slr_ray.command import user_errors


def replay(
    run: Annotated[
        str,
        typer.Argument(
            help="Folder or URI of results: what slr_ray.train was given as --out, with --folds or "
            "without, or a run of slr_ray.tune."
        ),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="method.field=value of calibration, refine, selection or growth, e.g. "
            "method.selection.kind=threshold method.selection.confidence=0.9"
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="A rule and its fields, e.g. 'quantile share=0.3'; may be repeated. Without it, "
            "and without a rule among the overrides: every rule there is."
        ),
    ] = None,
    trial: Annotated[
        int | None, typer.Option(min=0, help="Of a run of slr_ray.tune; default: the best one.")
    ] = None,
    per_gloss: Annotated[
        bool, typer.Option("--per-gloss", help="Also tell how many clips of each gloss.")
    ] = False,
) -> None:
    """Tell which clips other rules would have chosen in each round, without training anything.

    Every rule chooses from the whole pool as the round's model predicted it. Precision is an audit
    by hidden labels, where there are any: no setting may be chosen by it.
    """
    with user_errors():
        from slr_ray.config import parse_overrides
        from slr_ray.console import literal_console
        from slr_ray.single.replay import replay_run

        replay_run(
            run, parse_overrides(overrides or []), rule or [], trial, per_gloss, literal_console()
        )


def main() -> None:
    typer.run(replay)


if __name__ == "__main__":
    main()
