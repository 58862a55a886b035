"""What is replayed and what is not; whether a replay agrees only a GPU can tell (`make gpu`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from slr_ray.experiment.experiment import build_experiment
from slr_ray.models.conv_attention import ConvAttentionConfig
from slr_ray.models.cuda_graph import Recorded
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import num_channels

CLIPS, FRAMES, CHANNELS = 4, 8, 6


class Recorder:
    """In the place of `torch.cuda.make_graphed_callables`: warms up, then lets passes through."""

    def __init__(self) -> None:
        self.replayed: list[tuple[int, ...]] = []

    def __call__(
        self, module: nn.Module, sample: tuple[torch.Tensor, ...], **_: Any
    ) -> Callable[..., torch.Tensor]:
        for _number in range(3):
            module(*sample).sum().backward()

        def replay(*arguments: torch.Tensor) -> torch.Tensor:
            self.replayed.append(tuple(arguments[0].shape))
            passed: torch.Tensor = module(*arguments)
            return passed

        return replay


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", recorder)
    return recorder


def new_model() -> Model:
    torch.manual_seed(0)
    config = ConvAttentionConfig(width=8, num_heads=2, num_stages=1, dropout=0, final_dropout=0)
    return config.build(CHANNELS, 3)


def batch(clips: int, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    features = torch.randn(
        clips, frames, CHANNELS, generator=torch.Generator().manual_seed(clips + frames)
    )
    mask = torch.arange(frames)[None, :] < torch.arange(frames, frames - clips, -1)[:, None]
    return features * mask[..., None], mask


@pytest.mark.parametrize("frames", [FRAMES, FRAMES - 3])
def test_whole_batches_are_replayed_at_one_length(recorder: Recorder, frames: int) -> None:
    recorded, plain = Recorded(new_model(), (CLIPS, FRAMES, CHANNELS)), new_model()
    features, mask = batch(CLIPS, frames)
    torch.testing.assert_close(recorded(features, mask), plain(features, mask))
    assert recorder.replayed == [(CLIPS, FRAMES, CHANNELS)]
    # Norms saw the batch once, not what warmed up before it.
    for own, other in zip(recorded.model.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize(("clips", "frames"), [(CLIPS - 1, FRAMES), (CLIPS, FRAMES + 1)])
def test_other_batches_go_through_the_model(recorder: Recorder, clips: int, frames: int) -> None:
    recorded = Recorded(new_model(), (CLIPS, FRAMES, CHANNELS))
    features, mask = batch(clips, frames)
    torch.testing.assert_close(recorded(features, mask), new_model()(features, mask))
    assert not recorder.replayed


def test_a_model_that_is_evaluated_is_not_replayed(recorder: Recorder) -> None:
    recorded = Recorded(new_model(), (CLIPS, FRAMES, CHANNELS))
    recorded.model.eval()
    features, mask = batch(CLIPS, FRAMES)
    torch.testing.assert_close(recorded(features, mask), new_model().eval()(features, mask))
    assert not recorder.replayed


@pytest.mark.parametrize("preset", ["published", "spoter_small", "modern", "ssl_slr"])
def test_passes_ask_nothing_of_the_device(preset: str) -> None:
    # A recording can't; nor could it be done on the device "meta", which holds no numbers.
    config = build_experiment({"preset": preset}, "test")
    channels = num_channels(config.normalisation)
    with torch.device("meta"):
        model = config.model.build(channels, 5).train()
        features, mask = torch.zeros(4, 8, channels), torch.ones(4, 8, dtype=torch.bool)
    logits = model(features, mask)
    logits.sum().backward()
    assert logits.device.type == "meta"
