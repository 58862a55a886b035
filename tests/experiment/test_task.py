"""What goes with isolated signs and what with sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sentence_experiments import SENTENCES, opened_sentences, sentence_experiment

from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shard_writing import write_shard


def test_the_task_brings_its_preset() -> None:
    built = build_experiment({"task": "continuous"}, "test")
    assert built.preset == "continuous"
    assert built == build_experiment({"preset": "continuous"}, "test")
    assert built == build_experiment(built.model_dump(mode="json"), "again")
    assert built.data.kind == "embedded_sentences"
    assert build_experiment({}, "test").task == "isolated"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "preset": ({"preset": "modern"}, r"task=continuous, but preset 'modern' is for isolated"),
    "model": ({"model": {"kind": "conv_attention"}}, r"'conv_attention' gives one answer a clip"),
    "answer": ({"sentences": {"early_weight": 0}}, r"early_weight=0.*set model\.answer=fused"),
    "method": (
        {"method": {"kind": "sslr"}},
        r"\.kind=sslr_sentences, consistency_sentences or",
    ),
    "segments": (
        {
            "method": {"kind": "sslr_sentences", "selection": {"kind": "segment_wise"}},
            "sentences": {"dplr": {"source": "none"}},
        },
        r"segments for dense labels, but sentences\.dplr gives none",
    ),
    "open pool": ({"pool": {"kind": "all", "open_data": ["more.parquet"]}}, r"pool\.open_data"),
    "initialisation": (
        {"initialisation": {"kind": "pretraining"}},
        r"initialisation\.kind 'pretraining' is for isolated",
    ),
    "frames": ({"normalisation": {"drop_handless_frames": True}}, "drop_handless_frames"),
    "channels": ({"normalisation": {"velocities": False}}, r"gives 440: set normalisation\.kind"),
    "metric": ({"training": {"metric": "accuracy"}}, r"training\.metric=gloss_accuracy"),
    "smoothing": ({"training": {"label_smoothing": 0.1}}, r"label_smoothing is 0\.1.*set it to 0"),
    "mixup": ({"training": {"mixup": 0.4}}, r"training\.mixup is 0\.4"),
    "balance": ({"training": {"class_balance": "loss"}}, r"class_balance is loss.*to none"),
    "views": ({"test_time_views": 2}, r"test_time_views is 2.*set it to 1"),
    "boundary": ({"augmentation": {"kind": "boundary"}}, "'boundary' permutes the ends"),
    "cut": ({"augmentation": {"cut_probability": 0.5}}, r"cut_probability is 0\.5"),
    "crop": (
        {"augmentation": {"kind": "standard", "crop_probability": 0.1}},
        r"crop_probability is 0\.1",
    ),
    "speed": ({"augmentation": {"speed_probability": 0.5}}, r"sentences\.shortest"),
    "teacher": (
        {"training": {"ema_decay": None}, "sentences": {"dplr": {"source": "refined"}}},
        r"sentences\.dplr\.source=none",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_with_sentences_is_named(name: str) -> None:
    changes, told = REFUSED[name]
    with pytest.raises(ConfigError, match=told):
        build_experiment({"task": "continuous", **changes}, "test")


def test_what_is_for_sentences_does_not_go_with_signs() -> None:
    with pytest.raises(ConfigError, match=r"sentences: this section is for task=continuous"):
        build_experiment({"sentences": {"part_weight": 0.5}}, "test")
    with pytest.raises(ConfigError, match=r"'sslr_sentences' is for sentences"):
        build_experiment({"method": {"kind": "sslr_sentences"}}, "test")
    with pytest.raises(ConfigError, match=r"'gloss_accuracy', which is measured on sentences"):
        build_experiment({"training": {"metric": "gloss_accuracy"}}, "test")


def test_clips_must_be_what_the_task_is_about() -> None:
    with pytest.raises(ConfigError, match=r"set task=continuous"):
        Opener().prepare(build_experiment({"data": SENTENCES["data"]}, "test"))
    signs = {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1}
    with pytest.raises(ConfigError, match=r"task=continuous needs sentences"):
        Opener().prepare(sentence_experiment(data=signs))


def test_a_sentence_with_too_few_frames_is_named() -> None:
    named = r"'sentence-\d+-\d+' \(\d glosses need \d steps, 8 frames"
    with pytest.raises(DataError, match=rf"{named} .* or raise training\.max_frames$"):
        opened_sentences(training={"max_frames": 8})


def test_more_frames_are_not_advised_where_there_are_none(tmp_path: Path) -> None:
    corpus = opened_sentences().corpus
    clips = [corpus.clip(row) for row in range(corpus.num_clips)]
    first = next(row for row, one in enumerate(clips) if len(one.sentence.glosses) > 1)
    glosses = clips[first].sentence.glosses
    # One frame a gloss makes fewer steps than glosses.
    few = {
        name: getattr(clips[first], name)[: len(glosses)] for name in ("positions", "confidence")
    }
    clips[first] = replace(clips[first], **few, sentence=Sentence(glosses))
    write_shard(tmp_path / "some.parquet", clips, {"extractor": "test"})
    data = {"kind": "shards", "location": str(tmp_path / "some.parquet")}
    config = {**SENTENCES, "data": data}
    with pytest.raises(DataError, match=r"Leave them out of the shards$"):
        Opener().prepare(build_experiment(config, "test"))


def test_the_keys_of_isolated_signs_know_no_sentences() -> None:
    """So that stages of earlier versions are found."""
    config = build_experiment({"data": {"kind": "embedded", "num_signers": 4}}, "test")
    assert not {"task", "sentences"} & set(Opener().prepare(config).stage_facts())
    assert "sentences" in opened_sentences().stage_facts()
