"""Self-supervised objectives beside each other: `python -m slr_ray.compare --data poses/`."""

from __future__ import annotations

from typing import Annotated

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import (
    AUGMENTATIONS,
    OBJECTIVES,
    Address,
    Data,
    ExtraData,
    LabelledFraction,
    LabelledPerGloss,
    LabelledSigners,
    SkipBroken,
    data_and_pool,
    folds_section,
    laid_over,
)

_AUGMENTATIONS = "boundary,standard"


def compare(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="section.field=value for all of them, e.g. model.num_layers=4; one of an "
            "objective or augmentation is for those that have the field."
        ),
    ] = None,
    objectives: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(OBJECTIVES),
    augmentations: Annotated[
        str, typer.Option(help=f"Comma-separated: {', '.join(AUGMENTATIONS)}.")
    ] = _AUGMENTATIONS,
    seeds: Annotated[int, typer.Option(min=1, help="Encoders of each kind.")] = 8,
    data: Data = None,
    skip_broken: SkipBroken = False,
    extra_data: ExtraData = None,
    labelled_fraction: LabelledFraction = None,
    labelled_per_gloss: LabelledPerGloss = None,
    labelled_signers: LabelledSigners = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Cross-validation: compare in so many folds by signer."),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="ssl_slr as published, for a GPU; ssl_slr_coded as its author's code has it; "
            "ssl_slr_small for minutes on a CPU."
        ),
    ] = "ssl_slr_small",
    max_concurrent: Annotated[
        int | None, typer.Option(min=1, help="Encoders at a time; default: what fits.")
    ] = None,
    trial_cpus: Annotated[float, typer.Option(help="Processors of each.")] = 1.0,
    trial_gpus: Annotated[float, typer.Option(help="GPUs of each; fractions share one.")] = 0.0,
    address: Address = None,
    out: Annotated[
        str, typer.Option(help="Folder or URI; call again to go on after an interruption.")
    ] = "comparison",
) -> None:
    """Pre-train every objective with every augmentation and seed, and evaluate all alike.

    Same encoder, clips, steps and labels (all of them by default) for all; linear evaluation, the
    paper's MLP and k-NN on test signers that neither pre-training nor the classifier saw, beside a
    fresh encoder and k-NN on poses. With --folds every fold pre-trains encoders of its own and
    everybody is tested once. Prints a table, writes report.html, report.md and every encoder to
    OUT. Exit status: 1 where one failed.
    """
    with user_errors(CALL_AGAIN):
        from slr_ray.config import build
        from slr_ray.sweeps.objectives import ObjectiveComparison, run_comparison
        from slr_ray.workers.run_options import RunOptions

        sections = data_and_pool(
            data,
            overrides,
            skip_broken=skip_broken,
            labelled_fraction=labelled_fraction,
            labelled_per_gloss=labelled_per_gloss,
            labelled_signers=labelled_signers,
        )
        if extra_data:
            sections["initialisation"] = {"extra_data": extra_data}
        if folds is not None:
            sections["split"] = folds_section(folds, overrides or [])
        fixed = {"preset": preset, "pool": {"kind": "all"}}
        tree = laid_over({**fixed, **sections}, overrides or [])
        options = build(
            RunOptions,
            {
                "max_concurrent": max_concurrent,
                "trial_cpus": trial_cpus,
                "trial_gpus": trial_gpus,
                "address": address,
            },
            "command line",
        )
        comparison = ObjectiveComparison(
            tree=tree,
            objectives=_names(objectives, "--objectives"),
            augmentations=_names(augmentations, "--augmentations"),
            num_seeds=seeds,
            location=out,
            num_folds=folds,
        )
        status = run_comparison(comparison, options)
    raise SystemExit(status)


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(one.strip() for one in text.split(",") if one.strip())
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"{option} {text!r}: name each once, separated by commas")
    return names


def main() -> None:
    typer.run(compare)


if __name__ == "__main__":
    main()
