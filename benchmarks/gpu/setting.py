"""On what device the checks run, and how large: in full, or tiny to try the script itself."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.context import ForkContext, SpawnContext
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from unittest import mock

import torch

if TYPE_CHECKING:
    from slr_ray.experiment.experiment import Experiment
    from slr_ray.workers.place import Place

ValueT = TypeVar("ValueT")

_TINY_DATA = {
    "kind": "embedded",
    "num_glosses": 4,
    "num_signers": 8,
    "clips_per_block": 6,
    "seed": 1,
}
_TINY_SENTENCES = {
    "data": {
        "kind": "embedded_sentences",
        "num_glosses": 5,
        "num_sentences": 12,
        "num_signers": 6,
        "signer_coverage": 0.5,
        "seed": 1,
    },
    "model": {"width": 16, "part_width": 8},
}
_TINY_MODELS: dict[str, dict[str, Any]] = {
    "published": {"num_encoder_layers": 1, "num_decoder_layers": 1, "hidden": 16},
    "spoter_small": {"width": 16, "num_heads": 2, "num_encoder_layers": 1, "hidden": 16},
    "modern": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "ssl_slr": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
}


@dataclass(frozen=True)
class Setting:
    """How the script was called."""

    device: str
    is_tiny: bool
    start: Literal["fork", "spawn"] = "fork"
    """How processes start: forks share what is imported."""

    @property
    def processes(self) -> ForkContext | SpawnContext:
        """What starts them."""
        if self.start == "fork":
            return multiprocessing.get_context("fork")
        return multiprocessing.get_context("spawn")

    def choose(self, full: ValueT, tiny: ValueT) -> ValueT:
        """Which of the two sizes to take."""
        return tiny if self.is_tiny else full

    def place(self) -> Place:
        """Where to train. Asking touches the GPU."""
        from slr_ray.workers.place import this_place

        place = this_place()
        if place.device.type != self.device:
            raise RuntimeError(f"torch {torch.__version__} sees no GPU")
        return place

    def experiment(
        self, preset: str, training: Mapping[str, Any], sections: Mapping[str, Any] | None = None
    ) -> Experiment:
        """A preset on the embedded corpus with all labels, unless `sections` say otherwise."""
        from slr_ray.config import merge
        from slr_ray.experiment.experiment import build_experiment

        tree: dict[str, Any] = {"preset": preset, "pool": {"kind": "all"}, "training": training}
        tree = merge(tree, sections or {})
        if self.is_tiny:
            tree = merge({"data": _TINY_DATA, "model": _TINY_MODELS[preset]}, tree)
            tree = merge(tree, {"training": {"max_frames": 8}})
        return build_experiment(tree, "gpu")

    def sentences(
        self, training: Mapping[str, Any], sections: Mapping[str, Any] | None = None
    ) -> Experiment:
        """The preset of continuous signing on embedded sentences, all labelled unless said."""
        from slr_ray.config import merge
        from slr_ray.experiment.experiment import build_experiment

        tree: dict[str, Any] = {"task": "continuous", "pool": {"kind": "all"}, "training": training}
        tree = merge(tree, sections or {})
        return build_experiment(merge(self.choose({}, _TINY_SENTENCES), tree), "gpu")

    def make_corpora(self) -> None:
        """Put what the checks read into the cache of corpora."""
        from slr_ray.experiment.opener import Opener

        for one in (self, replace(self, is_tiny=True)):
            Opener().corpus(one.experiment("modern", {}).data)
            Opener().corpus(one.sentences({}).data)

    @contextlib.contextmanager
    def compiler(self) -> Iterator[None]:
        """torch.compile; tiny without its code generator, which takes longer than all else."""
        traced = functools.partial(torch.compile, backend="aot_eager")
        with mock.patch("torch.compile", traced) if self.is_tiny else contextlib.nullcontext():
            yield
