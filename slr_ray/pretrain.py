"""Pre-train an encoder without labels: `python -m slr_ray.pretrain --data poses/ --out OUT`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import (
    AUGMENTATIONS,
    OBJECTIVES,
    Address,
    CpusPerWorker,
    Data,
    ExtraData,
    GpusPerWorker,
    MinWorkers,
    NumThreads,
    NumWorkers,
    SharedStorage,
    SkipBroken,
    WaitAtMost,
    WaitForNodes,
    data_and_pool,
    laid_over,
    seconds_of,
)


def pretrain(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="section.field=value, e.g. initialisation.batch_size=256"),
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help=f"{', '.join(OBJECTIVES)}; default: sl_fpn.")
    ] = None,
    augmentation: Annotated[
        str | None,
        typer.Option(help=f"Of the two views: {', '.join(AUGMENTATIONS)}; default: boundary."),
    ] = None,
    data: Data = None,
    skip_broken: SkipBroken = False,
    extra_data: ExtraData = None,
    all_clips: Annotated[
        bool,
        typer.Option(
            help="Learn from all clips of --data, not only the split's training part: for an "
            "encoder that is evaluated on another corpus."
        ),
    ] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the clips.")] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="ssl_slr as published, for a GPU; ssl_slr_coded as its author's code has it; "
            "ssl_slr_small for minutes on a CPU."
        ),
    ] = "ssl_slr_small",
    config: Annotated[
        Path | None, typer.Option(help="A configuration; its preset replaces --preset.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Weights, views and order of clips.")] = 0,
    out: Annotated[
        str, typer.Option(help="Folder or URI; call again to go on after a stop.")
    ] = "encoder",
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
    """Pre-train an encoder on clips whose glosses are never read.

    Writes encoder.pt (for `train --init`), history.json, curves.svg and tensorboard/ to OUT. The
    split's validation and test signers are left out. Runs in this process; with --workers on
    several of this machine or a cluster, which go on from OUT/stages where one is lost.
    """
    with user_errors(CALL_AGAIN):
        from slr_ray.config import merge, read_yaml
        from slr_ray.console import literal_console
        from slr_ray.experiment.experiment import pretraining_of
        from slr_ray.experiment.opener import Opener
        from slr_ray.single.pretrain import run_pretraining
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
        given = overrides or []
        if epochs is not None and any(one.startswith("initialisation.num_steps=") for one in given):
            raise ConfigError("give --epochs or initialisation.num_steps, not both")
        section: dict[str, Any] = {"kind": "pretraining"}
        if objective is not None:
            section["objective"] = {"kind": objective}
        if augmentation is not None:
            section["augmentation"] = {"kind": augmentation}
        if epochs is not None:
            section["num_epochs"] = epochs
        if extra_data:
            section["extra_data"] = extra_data
        if all_clips:
            section["clips"] = "all"
        sections = data_and_pool(data, given, skip_broken=skip_broken)
        over = laid_over({**sections, "initialisation": section}, given)
        tree = merge({"preset": preset}, read_yaml(config) if config is not None else {})
        origin = str(config) if config is not None else "command line"
        opener = Opener()
        built = opener.build(merge(tree, over), origin)
        pretraining_of(built)
        # Bound to the stream as it is now: what Ray prints later goes elsewhere.
        console = literal_console(file=sys.stdout)
        run_pretraining(opener.prepare(built), seed, out, num_threads, console, group)


def main() -> None:
    typer.run(pretrain)


if __name__ == "__main__":
    main()
