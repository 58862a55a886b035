"""Supervised pre-training: other glosses first, of nobody who is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiment_factory import TINY, opened, write_shards
from resuming import same

from slr_ray.config import merge
from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.methods.other_glosses import encoder_of_other_glosses, num_other_steps
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import rounds
from slr_ray.poses.shard_writing import write_shard
from slr_ray.records.stages import StageStore
from slr_ray.storage import Store
from slr_ray.training.unlabelled import clip_hashes
from slr_ray.workers.place import this_place

PLACE = this_place()
SIX = EmbeddedConfig(num_glosses=6, num_signers=8, seed=1)
"""The glosses of `TINY` and two more, by the same people."""


@pytest.fixture
def others(tmp_path: Path) -> Path:
    path = tmp_path / "others.parquet"
    write_shards(path, open_data(SIX), of_other_glosses())
    return path


def of_other_glosses() -> list[int]:
    """The clips of `SIX` whose glosses `TINY` does not have."""
    corpus, own = open_data(SIX), opened(fresh()).corpus.glosses
    return [row for row in range(corpus.num_clips) if corpus.clip(row).gloss not in own]


def starting_from(path: Path, **changes: Any) -> Experiment:
    section = {"kind": "other_glosses", "data": str(path), "num_epochs": 2, "learning_rate": 0.01}
    return build_experiment({**TINY, "initialisation": {**section, **changes}}, "test")


def fresh() -> Experiment:
    return build_experiment({**TINY, "initialisation": {"kind": "fresh"}}, "test")


def test_round_0_starts_from_what_the_other_glosses_taught(others: Path, tmp_path: Path) -> None:
    prepared = opened(starting_from(others))
    stages = StageStore(Store(str(tmp_path / "stages")))
    encoder = encoder_of_other_glosses(prepared, 0, stages, PLACE)
    again = encoder_of_other_glosses(prepared, 0, stages, PLACE)
    assert same(encoder, again)
    run = prepare_seed(prepared, 0, stages, PLACE)
    assert run.encoder is not None
    assert same(run.encoder().weights, encoder)
    model = run.problem.new_model()
    assert {name for name in model.state_dict() if "classifier" not in name} == set(encoder)
    # It has learned something: what one can read from it is not what fresh weights give.
    learned = next(rounds(run)).record
    untaught = next(rounds(prepare_seed(opened(fresh()), 0, stages, PLACE))).record
    assert learned.validation != untaught.validation
    # What it cost is told, by whichever trial it was trained.
    assert (learned.steps_before, untaught.steps_before) == (6, 0)
    assert learned.training_before_s > untaught.training_before_s == 0.0
    assert num_other_steps(prepared) == 6
    assert num_other_steps(opened(fresh())) == 0


def test_nobody_who_is_measured_teaches(others: Path) -> None:
    prepared = opened(starting_from(others))
    assert prepared.other is not None
    corpus, clips = prepared.other.corpus, prepared.other.clips
    own, parts = prepared.corpus, prepared.split
    assert not set(corpus.signers_of(clips)) & set(own.signers_of(parts.measured))
    there = set(corpus.signers_of(np.arange(corpus.num_clips)))
    assert set(corpus.signers_of(clips)) == there & set(own.signers_of(parts.training))
    measured = clip_hashes(own, parts.measured)
    assert not np.isin(clip_hashes(corpus, clips), measured).any()
    left_out = corpus.num_clips - len(clips)
    assert f"{left_out:,} left out" in prepared.other.described()
    assert left_out


def test_no_clip_of_the_data_teaches_what_the_pool_hides(tmp_path: Path) -> None:
    """A folder that has the experiment's clips as well, or a copy of some by another name."""
    both, path = open_data(SIX), tmp_path / "both.parquet"
    write_shards(path, both, list(range(both.num_clips)))
    prepared = opened(starting_from(path))
    assert prepared.other is not None
    corpus, clips = prepared.other.corpus, prepared.other.clips
    own = prepared.corpus
    assert not np.isin(clip_hashes(corpus, clips), clip_hashes(own, np.arange(own.num_clips))).any()
    assert "experiment's own" not in prepared.other.described()

    renamed = [replace(both.clip(row), clip_id=f"copy {row}") for row in range(both.num_clips)]
    write_shard(path, renamed, {"extractor": "embedded"})
    prepared = opened(starting_from(path))
    assert prepared.other is not None
    assert "4 of these glosses are the experiment's own" in prepared.other.described()


def test_who_differs_in_method_or_own_labels_shares_the_encoder(
    others: Path, tmp_path: Path
) -> None:
    stages = StageStore(Store(str(tmp_path / "stages")))
    encoder_of_other_glosses(opened(starting_from(others)), 0, stages, PLACE)
    before = sorted(one.name for one in (tmp_path / "stages").rglob("*.pt"))
    assert before
    for other in (
        {"method": {"num_rounds": 3}},
        {"training": {"with_validation": True, "keep": "last"}},
    ):
        tree = merge(starting_from(others).model_dump(mode="json"), other)
        encoder_of_other_glosses(opened(build_experiment(tree, "test")), 0, stages, PLACE)
        assert sorted(one.name for one in (tmp_path / "stages").rglob("*.pt")) == before
    encoder_of_other_glosses(opened(starting_from(others)), 1, stages, PLACE)
    shared = opened(starting_from(others, seed=1))
    encoder_of_other_glosses(shared, 5, stages, PLACE)
    after = sorted(one.name for one in (tmp_path / "stages").rglob("*.pt"))
    assert len(after) == len(before) + 1


def test_folds_share_the_encoder_where_nobody_of_it_is_held_out(tmp_path: Path) -> None:
    corpus, path = open_data(SIX), tmp_path / "strangers.parquet"
    clips = [corpus.clip(row) for row in of_other_glosses()]
    strangers = [
        replace(one, signer=f"another {one.signer}", clip_id=f"another {one.clip_id}")
        for one in clips
    ]
    write_shard(path, strangers, {"extractor": "embedded"})
    tree = starting_from(path).model_dump(mode="json")
    stages = StageStore(Store(str(tmp_path / "stages")))
    for fold in (0, 1):
        split = {"split": {"kind": "folds", "num_folds": 2, "fold": fold}}
        config = build_experiment(merge(tree, split), "test")
        encoder_of_other_glosses(opened(config), 0, stages, PLACE)
    assert len(list((tmp_path / "stages").rglob("*.pt"))) == 1


def test_one_gloss_teaches_nothing(tmp_path: Path) -> None:
    corpus = open_data(SIX)
    path = tmp_path / "one.parquet"
    gloss = corpus.gloss_index[of_other_glosses()[0]]
    write_shards(path, corpus, [int(one) for one in np.flatnonzero(corpus.gloss_index == gloss)])
    with pytest.raises(ConfigError, match=r"initialisation\.data: .* of 1 gloss"):
        check_initialisation(opened(starting_from(path)))


def test_the_rate_is_its_own(others: Path, tmp_path: Path) -> None:
    stages = StageStore(Store(str(tmp_path / "stages")))
    slow, fast = starting_from(others), starting_from(others, learning_rate=0.1)
    two = [encoder_of_other_glosses(opened(one), 0, stages, PLACE) for one in (slow, fast)]
    name = next(iter(two[0]))
    assert not torch.equal(two[0][name], two[1][name])
