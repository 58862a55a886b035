"""Whether a GPU computes what it should: as the processor does, in bfloat16, fused, compiled."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.check import Finding, within
from benchmarks.gpu.experiments import (
    PRESETS,
    Epoch,
    apart,
    difference,
    gradient,
    times,
    trained,
    without_dropout,
)
from benchmarks.gpu.setting import Setting
from benchmarks.recogniser import BareModel, opened
from benchmarks.timing import in_turns
from slr_ray.experiment.experiment import Experiment
from slr_ray.models.frame_norm import FrameNorm
from slr_ray.poses.reading import read
from slr_ray.training.batches import Views, model_input
from slr_ray.training.config import AdamW, Sgd
from slr_ray.training.optimisation import new_optimiser
from slr_ray.training.problem import Problem
from slr_ray.workers.place import Place

_SEED = 0
_CPU = Place(torch.device("cpu"))


def processor(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    training = {"batch_size": 32, "num_epochs": 1, "steps_per_epoch": setting.choose(5, 1)}
    for preset in PRESETS:
        config = without_dropout(setting.experiment(preset, training))
        own = opened(config)
        views = [_views(config, own, one) for one in (_CPU, place)]
        yield within(f"{preset}: features of augmented views", difference(*views), 1e-3)
        gradients = [gradient(BareModel(config, own, one)) for one in (_CPU, place)]
        yield within(f"{preset}: gradient", difference(*gradients), 1e-2)
        losses = [trained(config, own, one)[-1].loss for one in (_CPU, place)]
        yield within(f"{preset}: loss of a training", apart(*losses), 1e-2)
    config = without_dropout(setting.sentences({**training, "batch_size": 8}))
    own = opened(config)
    losses = [trained(config, own, one)[-1].loss for one in (_CPU, place)]
    yield within("sentences: loss of a training", apart(*losses), 1e-2)


def precision(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    training = {"batch_size": 48, "num_epochs": setting.choose(4, 1)}
    training["steps_per_epoch"] = setting.choose(15, 2)
    for preset in PRESETS:
        configs = _each_way(setting, preset, training, "precision", ("float32", "bfloat16"))
        own = opened(configs[0])
        gradients = [gradient(BareModel(one, own, place)) for one in configs]
        yield within(f"{preset}: gradient", difference(*gradients), 0.1)
        losses = [trained(one, own, place)[-1].loss for one in configs]
        what = f"{preset}: loss of a training, {losses[0]:.4f} and {losses[1]:.4f}"
        yield within(what, apart(*losses), 0.05)


def fused(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    own = opened(setting.experiment("published", {}))
    for settings in (AdamW(), Sgd(momentum=0.9, weight_decay=1e-4)):
        weights, steps = [], {}
        for is_fused in (True, False):
            torch.manual_seed(_SEED)
            model = own.new_model().to(place.device)
            parameters = list(model.parameters())
            optimiser = new_optimiser(parameters, settings)
            for group in optimiser.param_groups:
                group["fused"], group["foreach"] = is_fused, False
            for one in parameters:
                one.grad = torch.randn_like(one)
            steps["fused" if is_fused else "one by one"] = optimiser.step
            weights.append(parameters)
        taken = in_turns(steps, setting.choose(20, 1), place.device)
        flat = [torch.cat([one.detach().flatten() for one in own]) for own in weights]
        yield within(f"{settings.kind}: weights", difference(*flat), 1e-5)
        yield Finding(f"{settings.kind}, a step of {len(flat[0]):,} weights: {times(taken)}")


def norm(setting: Setting) -> Iterator[Finding]:
    device = setting.place().device
    for shape in setting.choose(((48, 32, 192), (512, 64, 192)), ((4, 8, 16),)):
        clips, frames, width = shape
        torch.manual_seed(_SEED)
        lengths = torch.randint(frames // 2, frames, (clips, 1), device=device)
        mask = torch.arange(frames, device=device) < lengths
        inputs, wanted = torch.randn(2, *shape, device=device) * mask[..., None]
        inputs.requires_grad_()
        found, calls = [], {}
        for name, way in (("weighed", FrameNorm.by_weight), ("picked", FrameNorm.picked)):
            layer = FrameNorm(width).to(device)
            (gradient,) = torch.autograd.grad(way(layer, inputs, mask), inputs, wanted)
            found.append(torch.cat([gradient.flatten(), layer.running_var]))
            calls[name] = partial(_norm_step, way, layer, inputs, mask)
        yield within(f"{shape}: gradient and running variance", difference(*found), 1e-4)
        taken = in_turns(calls, setting.choose(20, 1), device)
        yield Finding(f"{shape}, forward and backward: {times(taken)}")


def recorded(setting: Setting) -> Iterator[Finding]:
    """The loop with views and passes replayed, against one that starts every kernel by itself."""
    place = setting.place()
    yield from _recorded_views(setting, place)
    num_steps = setting.choose(12, 2)
    training = {"precision": "bfloat16", "num_epochs": 4, "steps_per_epoch": num_steps}
    for preset, full_size in (("published", 1), *((one, 48) for one in PRESETS)):
        size = setting.choose(full_size, 4)
        own_training = {**training, "batch_size": size}
        configs = _each_way(setting, preset, own_training, "cuda_graphs", (False, True))
        own = opened(configs[0])
        plain, epochs = (trained(one, own, place) for one in configs)
        what = f"{preset}, batches of {size}"
        yield within(f"{what}: loss of a training", apart(epochs[-1].loss, plain[-1].loss), 0.02)
        after, before = (_typical_s(one) / num_steps for one in (epochs, plain))
        yield Finding(
            f"{what}: {1e3 * before:.1f} ms a step, {1e3 * after:.1f} ms recorded, which takes "
            f"{epochs[0].seconds - _typical_s(epochs):.1f} s"
        )


def _recorded_views(setting: Setting, place: Place) -> Iterator[Finding]:
    """Of whole batches, by the settings that the product has, and what they take."""
    size = setting.choose(48, 4)
    config = setting.experiment("modern", {"batch_size": size})
    own = opened(config)
    reading = partial(read, own.clips, own.labelled[:size], config.training.max_frames)
    found: list[Tensor] = []
    calls: dict[str, Callable[[], object]] = {"reading": reading}
    for name, is_recorded in (("made", False), ("replayed", True)):
        training = config.training.model_copy(update={"cuda_graphs": is_recorded})
        views = Views(own.normalisation, training, place.device, size, [own.augmentation])
        make = partial(views, reading(), own.augmentation)
        found.append(make(torch.Generator().manual_seed(_SEED))[0])
        calls[name] = partial(make, torch.Generator())
    yield within("modern: views replayed against views made", difference(*found), 1e-3)
    taken = in_turns(calls, setting.choose(20, 1), place.device)
    yield Finding(f"modern, views of a batch of {size}: {times(taken)}")


def compiled(setting: Setting) -> Iterator[Finding]:
    place = setting.place()
    training = {"precision": "bfloat16", "num_epochs": setting.choose(4, 2)}
    training["steps_per_epoch"] = setting.choose(15, 2)
    training["batch_size"] = setting.choose(48, 4)
    configs = _each_way(setting, "modern", training, "compile", (False, True))
    own = opened(configs[0])
    with setting.compiler():
        plain, compiled = (trained(one, own, place) for one in configs)
    yield within("loss of a training", apart(compiled[-1].loss, plain[-1].loss), 0.02)
    yield Finding(
        f"batches of {training['batch_size']}: {_typical_s(plain) / _typical_s(compiled):.2f} "
        f"times as fast as the loop without it, after "
        f"{compiled[0].seconds - _typical_s(plain):.0f} s of compiling"
    )


def _each_way(
    setting: Setting, preset: str, training: Mapping[str, Any], option: str, values: Sequence[Any]
) -> list[Experiment]:
    """One experiment for each value of an option of training, to be compared."""
    return [
        without_dropout(setting.experiment(preset, {**training, option: one})) for one in values
    ]


def _typical_s(epochs: Sequence[Epoch]) -> float:
    """The median of the later ones: the first records, and batches of other lengths compile."""
    return statistics.median(one.seconds for one in epochs[1:])


def _views(config: Experiment, own: Problem, place: Place) -> Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    batch = read(own.clips, own.labelled[:32], config.training.max_frames).to(place.device)
    return model_input(batch, own.normalisation, own.augmentation, generator)[0]


def _norm_step(
    way: Callable[[FrameNorm, Tensor, Tensor], Tensor],
    layer: FrameNorm,
    inputs: Tensor,
    mask: Tensor,
) -> None:
    way(layer, inputs, mask).sum().backward()  # type: ignore[no-untyped-call]  # torch's own
