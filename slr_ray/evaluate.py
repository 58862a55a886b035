"""What pre-training gave: `python -m slr_ray.evaluate --encoder ENCODER --protocol linear`."""

from __future__ import annotations

from typing import Annotated

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import (
    Data,
    LabelledPerGloss,
    LabelledSigners,
    NumThreads,
    SkipBroken,
    data_and_pool,
    laid_over,
)

_PROTOCOLS = ("linear", "mlp", "knn", "semi", "transfer", "inertia", "collapse", "map")
_SEMI_FRACTION = 0.3


def evaluate(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="section.field=value, e.g. split.seed=1; with --protocol semi also "
            "training.num_epochs=5"
        ),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="An encoder of slr_ray.pretrain, file or folder; repeat it for the same "
            "pre-training with other seeds."
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="linear, mlp (the paper's), knn: a classifier on the frozen encoder. semi: "
            "fine-tuning. transfer: linear on another corpus than the encoder's. inertia, "
            "collapse, map: how representations lie."
        ),
    ] = "linear",
    data: Data = None,
    skip_broken: SkipBroken = False,
    labelled_fraction: Annotated[
        float | None,
        typer.Option(
            help="Share of the training clips that keep their labels. "
            f"Default: 1; of semi {_SEMI_FRACTION:g}, as published."
        ),
    ] = None,
    labelled_per_gloss: LabelledPerGloss = None,
    labelled_signers: LabelledSigners = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Runs: label draws, classifiers, fresh weights. Default: one an encoder."
        ),
    ] = None,
    allow_seen_clips: Annotated[
        bool, typer.Option(help="Evaluate even on clips that the encoder was pre-trained on.")
    ] = False,
    out: Annotated[
        str, typer.Option(help="Where results go; finished runs there are not repeated.")
    ] = "evaluation",
    num_threads: NumThreads = None,
) -> None:
    """Evaluate a pre-trained encoder beside a fresh one and beside no encoder at all.

    Validation chooses what there is to choose; the test set is measured once a run. Prints a table
    and writes evaluation-PROTOCOL.json and figures to OUT.
    """
    with user_errors(CALL_AGAIN):
        if protocol not in _PROTOCOLS:
            raise ConfigError(
                f"--protocol: there is no {protocol!r}; there are {', '.join(_PROTOCOLS)}"
            )
        if not encoder:
            raise ConfigError(
                "name an encoder: --encoder FILE, from `python -m slr_ray.pretrain`; a trained "
                "checkpoint is measured by `python -m slr_ray.robustness`"
            )
        if seeds is not None and seeds < len(encoder):
            raise ConfigError(
                f"--seeds: {seeds} runs do not reach all of {len(encoder)} encoders: leave it out, "
                "or name those that are to be measured"
            )
        from slr_ray.config import parse_overrides
        from slr_ray.encoders.evaluate import run_evaluation
        from slr_ray.encoders.evaluation_runs import EvaluationTask

        sections = data_and_pool(
            data,
            overrides,
            skip_broken=skip_broken,
            labelled_fraction=labelled_fraction,
            labelled_per_gloss=labelled_per_gloss,
            labelled_signers=labelled_signers,
        )
        if protocol == "semi":
            sections.setdefault("pool", {"kind": "fraction", "fraction": _SEMI_FRACTION})
        for dotted in parse_overrides(overrides or []):
            _check_override(dotted, protocol)
        fixed = {"pool": {"kind": "all"}, "method": {"kind": "supervised"}}
        tree = laid_over({**fixed, **sections}, overrides or [])
        task = EvaluationTask(
            protocol=protocol,
            encoders=tuple(encoder),
            num_runs=seeds or len(encoder),
            tree=tree,
            allow_seen_clips=allow_seen_clips,
        )
        run_evaluation(task, out, num_threads)


def _check_override(dotted: str, protocol: str) -> None:
    """`ConfigError` where a setting could change nothing."""
    section = dotted.split(".")[0]
    if section in ("initialisation", "model", "normalisation"):
        raise ConfigError(f"{dotted}: the encoder decides that; evaluate takes it from --encoder")
    if section == "method":
        raise ConfigError(
            f"{dotted}: evaluate trains supervised or not at all; rounds and steps that start from "
            "an encoder are `python -m slr_ray.train --init ENCODER`"
        )
    if section in ("training", "augmentation") and protocol != "semi":
        raise ConfigError(
            f"{dotted}: only --protocol semi trains; {protocol} leaves the encoder as it is"
        )


def main() -> None:
    typer.run(evaluate)


if __name__ == "__main__":
    main()
