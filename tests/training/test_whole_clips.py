"""`training.max_frames: null`: clips as long as they are, from reading to a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clip_factory import make_clip
from experiment_factory import opened, tiny

from slr_ray.errors import ConfigError
from slr_ray.experiment.encoder_file import load_encoder
from slr_ray.methods.pretraining import pretrained_encoder, save_encoder
from slr_ray.methods.recogniser import load_recogniser
from slr_ray.poses.batch import frames_seen, thinned
from slr_ray.poses.reading import ClipsInMemory, read
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store
from slr_ray.train import train
from slr_ray.workers.place import this_place

WHOLE = {"training": {"max_frames": None}, "model": {"positions": "sinusoidal"}}
SMALL = (
    "data.num_glosses=4",
    "data.num_signers=8",
    "model.width=16",
    "model.num_heads=2",
    "model.num_stages=1",
    "model.num_convolutions=1",
    "training.num_epochs=1",
    "training.steps_per_epoch=1",
    "training.batch_size=8",
    "training.max_frames=null",
)


def test_no_frame_is_left_out() -> None:
    clips = ClipsInMemory([make_clip("a", 150), make_clip("b", 3, seed=1)])
    batch = read(clips, np.array([0, 1]), None)
    assert batch.num_frames.tolist() == [150, 3]
    np.testing.assert_array_equal(batch.positions[0], clips.clips[0].positions)
    assert thinned(150, None).tolist() == list(range(150))
    assert frames_seen(np.array([150, 3]), None).tolist() == [150, 3]
    assert frames_seen(np.array([150, 3]), 9).tolist() == [9, 3]


@pytest.mark.parametrize("method", ["sslr", "consistency"])
def test_a_recogniser_is_trained_and_predicts(method: str, tmp_path: Path) -> None:
    overrides = [*SMALL, f"method.kind={method}"]
    overrides += ["method.num_rounds=1"] if method == "sslr" else []
    train(overrides, seed=0, out=str(tmp_path), num_threads=1)
    recogniser = load_recogniser(str(tmp_path / "seed_0/checkpoint.pt"))
    assert recogniser.config.training.max_frames is None
    assert len(recogniser.predict([make_clip(num_frames=150)])) == 1


def test_an_encoder_is_pre_trained_and_read_again(tmp_path: Path) -> None:
    prepared = opened(tiny(**WHOLE))
    store = Store(str(tmp_path))
    trained = pretrained_encoder(prepared, 0, StageStore(store.join("stages")), this_place())
    save_encoder(prepared, 0, trained, store, "encoder.pt")
    assert load_encoder(tmp_path).max_frames is None


def test_learned_positions_end_somewhere() -> None:
    with pytest.raises(ConfigError, match=r"training\.max_frames is null: .*max_frames 64; give"):
        tiny(training={"max_frames": None})
    with pytest.raises(ConfigError, match=r"initialisation\.max_frames is 65, but learned"):
        tiny(initialisation={"max_frames": 65})
