"""Whose results a folder holds: no command writes into a folder of another one."""

from __future__ import annotations

from typing import Literal

from slr_ray.errors import ConfigError
from slr_ray.storage import Store

Command = Literal["pretrain", "train", "evaluate", "boundary", "compare", "tune"]

_PROTOCOLS = ("linear", "mlp", "knn", "semi", "transfer", "inertia", "collapse")
_FILES: dict[Command, tuple[str, ...]] = {
    "pretrain": ("pretraining.json", "encoder.pt"),
    "train": ("experiment.json",),
    "evaluate": (*(f"evaluation-{one}.json" for one in _PROTOCOLS), "map-encoder.html"),
    "boundary": ("boundary.json", "found-estimate.json"),
    "compare": ("comparison.json",),
    "tune": ("run.json",),
}
"""What each command leaves at the top of its folder."""


def refuse_others_results(store: Store, command: Command) -> None:
    """`ConfigError` where the folder holds results of another command than `command`."""
    for other, files in _FILES.items():
        for name in files:
            if other != command and store.exists(name):
                raise ConfigError(
                    f"{store.location} holds results of slr_ray.{other} ({name}); choose another "
                    "--out"
                )
