"""Pre-train an encoder without labels: `python -m slr_ray.pretrain --data poses/ --out OUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from slr_ray.command import CALL_AGAIN, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import Data, ExtraData, NumThreads

_OBJECTIVES = ("sl_fpn", "simclr", "moco", "simsiam", "byol")
_AUGMENTATIONS = ("boundary", "standard", "strong")


def pretrain(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="section.field=value, e.g. initialisation.batch_size=256"),
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help=f"{', '.join(_OBJECTIVES)}; default: sl_fpn.")
    ] = None,
    augmentation: Annotated[
        str | None,
        typer.Option(help=f"Of the two views: {', '.join(_AUGMENTATIONS)}; default: boundary."),
    ] = None,
    data: Data = None,
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
        typer.Option(help="ssl_slr as published, for a GPU; ssl_slr_small for minutes on a CPU."),
    ] = "ssl_slr_small",
    config: Annotated[
        Path | None, typer.Option(help="A configuration; its preset replaces --preset.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Weights, views and order of clips.")] = 0,
    out: Annotated[
        Path, typer.Option(help="Where the encoder goes; call again to go on after a stop.")
    ] = Path("encoder"),
    num_threads: NumThreads = None,
) -> None:
    """Pre-train an encoder on clips whose glosses are never read.

    Writes encoder.pt (for `train --init`), history.json, curves.svg and tensorboard/ to OUT. The
    split's validation and test signers are left out. With several GPUs: torchrun -m
    slr_ray.pretrain.
    """
    with user_errors(CALL_AGAIN):
        from slr_ray.config import merge, parse_overrides, read_yaml, set_dotted
        from slr_ray.experiment.experiment import experiment
        from slr_ray.experiment.pretraining_clips import pretraining_section
        from slr_ray.single.pretrain import run_pretraining

        over: dict[str, Any] = {"initialisation": {"kind": "pretraining"}}
        named: dict[str, Any] = {
            "initialisation.objective.kind": objective,
            "initialisation.augmentation.kind": augmentation,
            "initialisation.num_epochs": epochs,
            "initialisation.extra_data": extra_data or None,
            "initialisation.clips": "all" if all_clips else None,
        }
        if epochs is not None:
            over["initialisation"]["num_steps"] = None
        if data is not None:
            named |= {"data.kind": "shards", "data.location": data}
        own = parse_overrides(overrides or [])
        if epochs is not None and "initialisation.num_steps" in own:
            raise ConfigError("give --epochs or initialisation.num_steps, not both")
        given = {dotted: value for dotted, value in named.items() if value is not None}
        for dotted, value in (given | own).items():
            set_dotted(over, dotted, value)
        tree = merge({"preset": preset}, read_yaml(config) if config is not None else {})
        origin = str(config) if config is not None else "command line"
        built = experiment(merge(tree, over), origin)
        pretraining_section(built)
        run_pretraining(built, seed, out, num_threads)


def main() -> None:
    typer.run(pretrain)


if __name__ == "__main__":
    main()
