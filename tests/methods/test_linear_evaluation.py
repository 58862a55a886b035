"""Linear evaluation as a method: the frozen encoder stays, the classifier is the probe's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from slr_ray.config import merge
from slr_ray.evaluation.linear import linear_probe
from slr_ray.evaluation.probe import RepresentedSet
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store
from slr_ray.training.prediction import predict
from slr_ray.workers.place import this_place

TINY: dict[str, Any] = {
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "all"},
    "model": {"kind": "pose_transformer", "width": 16, "num_heads": 2, "num_layers": 1},
    "training": {"max_frames": 8},
    "method": {"kind": "linear"},
}


def tiny(**changes: Any) -> Prepared:
    return Opener().prepare(build_experiment(merge(TINY, changes), "test"))


def test_one_round_that_keeps_the_encoder_and_predicts_like_the_probe(tmp_path: Path) -> None:
    prepared, place = tiny(), this_place()
    run = prepare_seed(prepared, 0, StageStore(Store(str(tmp_path))), place)
    finished = list(rounds(run))
    assert len(finished) == 1
    own = run.problem
    torch.manual_seed(0)
    model = own.new_model()
    model.load_state_dict(finished[0].model_state)
    probabilities = predict(
        model,
        own.corpus,
        own.split.validation,
        normalisation=own.normalisation,
        max_frames=prepared.config.training.max_frames,
        device=place.device,
    )
    found = float((probabilities.argmax(1) == own.glosses(own.split.validation)).mean())
    # What the record says is what the stored model does.
    assert found == pytest.approx(finished[0].record.validation.accuracy)
    assert found > 0.5
    assert finished[0].record.num_steps == 0


def test_its_stage_is_not_that_of_training() -> None:
    assert tiny().stage_facts() != tiny(method={"kind": "supervised"}).stage_facts()


@pytest.mark.parametrize("present", [(0, 2), (0, 1, 3)])
def test_a_gloss_without_clips_has_no_probability(present: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    glosses = np.repeat(present, 30)
    centres = rng.normal(size=(4, 5)) * 3
    representations = (centres[glosses] + rng.normal(size=(len(glosses), 5))).astype(np.float32)
    clips = RepresentedSet(representations, glosses)
    probe = linear_probe(clips, clips, 4)
    probabilities = probe.classify(representations)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    absent = [gloss for gloss in range(4) if gloss not in present]
    assert (probabilities[:, absent] == 0).all()
    assert probe.measured(clips).accuracy > 0.9


def test_the_search_space_of_the_boundary_is_about_it() -> None:
    prepared = tiny(
        initialisation={
            "kind": "pretraining",
            "augmentation": {"kind": "boundary", "head_fraction": 0.2, "tail_fraction": 0.1},
        }
    )
    other = tiny(
        initialisation={
            "kind": "pretraining",
            "augmentation": {"kind": "boundary", "head_fraction": 0.3, "tail_fraction": 0.1},
        }
    )
    assert prepared.stage_facts() != other.stage_facts()
    assert len(prepared.split.training) < prepared.corpus.num_clips
