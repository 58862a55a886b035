"""Run one experiment, not a search: `python -m slr_ray.train --config RUN/best/config.yaml`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import (
    Address,
    CpusPerWorker,
    Data,
    GpusPerWorker,
    LabelledFraction,
    LabelledPerGloss,
    LabelledSigners,
    MinWorkers,
    NumThreads,
    NumWorkers,
    Overrides,
    SharedStorage,
    SkipBroken,
    WaitAtMost,
    WaitForNodes,
    data_and_pool,
    folds_section,
    laid_over,
    seconds_of,
)


def train(
    overrides: Overrides = None,
    config: Annotated[
        str | None, typer.Option(help="A configuration, a file or URI; without it the defaults.")
    ] = None,
    data: Data = None,
    skip_broken: SkipBroken = False,
    labelled_fraction: LabelledFraction = None,
    labelled_per_gloss: LabelledPerGloss = None,
    labelled_signers: LabelledSigners = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="An encoder of slr_ray.pretrain to start from; model, normalisation and "
            "training.max_frames are its own."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Label draw, weights and order of clips.")] = 0,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, help="Cross-validation: train so many folds by signer, test everybody."
        ),
    ] = None,
    num_seeds: Annotated[
        int, typer.Option(min=1, help="With --folds: runs of each fold, from --seed upwards.")
    ] = 1,
    out: Annotated[
        str, typer.Option(help="Folder or URI; run again to go on after an interruption.")
    ] = "trained",
    workers: NumWorkers = None,
    min_workers: MinWorkers = None,
    cpus_per_worker: CpusPerWorker = None,
    gpus_per_worker: GpusPerWorker = None,
    address: Address = None,
    wait_for_nodes: WaitForNodes = False,
    wait_at_most: WaitAtMost = None,
    shared_storage: SharedStorage = False,
    num_threads: NumThreads = None,
) -> None:
    """Train, choose the round on validation and evaluate that model once on the test set.

    Writes config.yaml, record.json, predictions.parquet and checkpoint.pt to OUT/seed_SEED, with
    --folds to OUT/fold_FOLD/seed_SEED and what all people say together to OUT/folds.json; finished
    rounds are kept in OUT/stages and not trained again. Runs in this process; with --workers on
    several of this machine or a cluster, which go on from OUT/stages where one is lost.
    """
    with user_errors(CALL_AGAIN):
        from slr_ray.config import merge
        from slr_ray.console import literal_console
        from slr_ray.experiment.default_pool import build_with_pool
        from slr_ray.experiment.opener import Opener
        from slr_ray.single.folds import prepare_folds, run_folds
        from slr_ray.single.train import run_single
        from slr_ray.workers.run_options import group_options

        group = group_options(
            workers,
            address,
            min_workers=min_workers,
            cpus_per_worker=cpus_per_worker,
            gpus_per_worker=gpus_per_worker,
            wait_for_nodes=wait_for_nodes,
            wait_at_most_s=seconds_of("--wait-at-most", wait_at_most),
            shared_storage=shared_storage,
        )
        tree = _configuration(config) if config is not None else {}
        sections = data_and_pool(
            data,
            overrides,
            skip_broken=skip_broken,
            labelled_fraction=labelled_fraction,
            labelled_per_gloss=labelled_per_gloss,
            labelled_signers=labelled_signers,
        )
        if init is not None:
            sections["initialisation"] = {"kind": "encoder", "path": init}
        if folds is not None:
            sections["split"] = folds_section(folds, overrides or [])
        elif num_seeds > 1:
            raise ConfigError("--num-seeds goes with --folds; one seed is --seed")
        over = laid_over(sections, overrides or [])
        origin = config if config is not None else "command line"
        opener = Opener()
        built = build_with_pool(merge(tree, over), origin, opener)
        # Bound to the stream as it is now: what Ray prints later goes elsewhere.
        console = literal_console(file=sys.stdout)
        if folds is None:
            run_single(opener.prepare(built), seed, out, num_threads, console, group)
        else:
            seeds = range(seed, seed + num_seeds)
            run_folds(prepare_folds(built, opener), seeds, out, num_threads, console, group)


def _configuration(location: str) -> dict[str, object]:
    from slr_ray.config import parse_yaml, read_yaml
    from slr_ray.storage import is_uri, read_file

    if not is_uri(location):
        return read_yaml(Path(location))
    try:
        return parse_yaml(read_file(location), location)
    except OSError as error:
        raise ConfigError(f"cannot read {location}: {error}") from None


def main() -> None:
    typer.run(train)


if __name__ == "__main__":
    main()
