"""Each clip's own boundary: found in the whole clip, and used wherever clips are augmented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiment_factory import opened, tiny
from pydantic import ValidationError

from slr_ray.augmentation.boundary_estimate import _quantile, ends_finder, estimate_boundaries
from slr_ray.augmentation.config import (
    BoundaryAugmentation,
    BoundaryEstimateConfig,
    StandardAugmentation,
)
from slr_ray.augmentation.pipeline import augment
from slr_ray.config import merge
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, open_embedded
from slr_ray.methods.pretraining import pretraining_key
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.poses.batch import pad
from slr_ray.poses.reading import read
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store
from slr_ray.training.consistency.config import StreamConfig
from slr_ray.workers.place import this_place

OWN = BoundaryAugmentation(per_clip=BoundaryEstimateConfig())
TREE: dict[str, Any] = {"kind": "boundary", "per_clip": {}}


def test_a_clip_is_permuted_in_its_own_head_and_tail_alone() -> None:
    frames = np.arange(20, dtype=np.float32)[:, None, None]
    clip = np.broadcast_to(frames, (20, NUM_JOINTS, 2))
    batch = pad([clip] * 3, [np.ones((20, NUM_JOINTS), np.float32)] * 3, 20)
    batch = replace(batch, ends=torch.tensor([[0.5, 0.0], [0.0, 0.25], [0.0, 0.0]]))
    found = augment(batch, OWN, torch.Generator().manual_seed(0)).positions[..., 0, 0].int()
    moved = (found != torch.arange(20)).nonzero()
    assert {clip for clip, _ in moved.tolist()} == {0, 1}
    assert all(frame < 10 if clip == 0 else frame >= 15 for clip, frame in moved.tolist())
    assert found.sort(dim=1).values.tolist() == [list(range(20))] * 3


def test_ends_are_found_before_frames_are_left_out() -> None:
    corpus = open_embedded(EmbeddedConfig(num_signers=4, clips_per_block=1, num_glosses=4))
    clips = np.arange(corpus.num_clips)[::-1].copy()
    batch = read(corpus, clips, 6, find_ends=ends_finder(OWN)).to(torch.device("cpu"))
    assert batch.positions.shape[1] == 6 < corpus.num_frames.min()
    expected = estimate_boundaries(corpus, clips)
    assert batch.ends is not None
    np.testing.assert_allclose(batch.ends[:, 0], expected.head_fraction, rtol=1e-6)
    np.testing.assert_allclose(batch.ends[:, 1], expected.tail_fraction, rtol=1e-6)
    assert len(np.unique(batch.ends[:, 0])) > 3
    # Other settings find others.
    steep = BoundaryEstimateConfig(least_rise=9.0)
    none = read(corpus, clips, 6, find_ends=ends_finder(OWN.model_copy(update={"per_clip": steep})))
    assert none.ends is not None
    assert not none.ends.any()


def test_clips_that_were_read_without_their_ends_are_not_guessed() -> None:
    assert ends_finder(BoundaryAugmentation()) is None
    assert ends_finder(StandardAugmentation()) is None
    batch = pad([np.zeros((4, 54, 2), np.float32)], [np.ones((4, 54), np.float32)], 4)
    with pytest.raises(ValueError, match="ends_finder"):
        augment(batch, OWN, torch.Generator())


def test_the_quantile_is_numpys() -> None:
    rng = np.random.default_rng(0)
    lengths = np.array([1, 2, 7, 12])
    heights = np.where(np.arange(12) < lengths[:, None], rng.normal(size=(4, 12)), np.nan)
    for share in (0.01, 0.5, 0.8, 0.99):
        expected = np.nanquantile(heights, share, axis=1)
        np.testing.assert_allclose(_quantile(heights, lengths, share), expected)


USES: dict[str, dict[str, Any]] = {
    "pre-training": {"initialisation": {"augmentation": TREE}},
    "labelled clips": {"augmentation": TREE},
    "views of the pool": {"augmentation": TREE, "method": {"num_views": 2, "num_rounds": 1}},
    "agreement of views": {
        "augmentation": TREE,
        "method": {"selection": {"kind": "views_agree"}, "num_rounds": 1},
    },
    "pseudo-labelled clips": {"method": {"pseudo_augmentation": TREE, "num_rounds": 1}},
    "steps": {
        "training": {"ema_decay": 0.9},
        "method": {"kind": "consistency", "strong": TREE},
    },
}


@pytest.mark.parametrize("use", USES)
def test_every_training_reads_them(use: str, tmp_path: Path) -> None:
    """Where one did not, the augmentation would raise."""
    config = tiny(**merge({"training": {"num_epochs": 1}, "method": {"num_rounds": 0}}, USES[use]))
    run = prepare_seed(opened(config), 0, StageStore(Store(str(tmp_path))), this_place())
    assert list(rounds(run))


def test_stages_know_the_estimate() -> None:
    def key(**per_clip: Any) -> str:
        views = {"kind": "boundary", "per_clip": per_clip or None}
        return pretraining_key(opened(tiny(initialisation={"augmentation": views})), 0)

    assert len({key(), key(least_rise=0.4), key(least_rise=0.5)}) == 3


def test_weak_views_are_not_read_for() -> None:
    with pytest.raises(ValidationError, match=r"weak\.per_clip: a step's clips are read"):
        StreamConfig(weak=OWN)
