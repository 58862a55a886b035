"""What `predict` says of clips before it answers for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from experiment_factory import EMBEDDED, opened

from slr_ray.corpora.corpus import open_shards
from slr_ray.experiment.experiment import build_experiment
from slr_ray.methods.checkpoints import checkpoint_content
from slr_ray.methods.recogniser import recogniser_of
from slr_ray.poses.shard_writing import write_shard
from slr_ray.single.printing import SignPrinter


def test_glosses_that_the_model_never_learnt_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = build_experiment({"preset": "spoter_small", "data": EMBEDDED}, "test")
    prepared = opened(config)
    state = prepared.problem(0).new_recogniser().state_dict()
    printer = SignPrinter(
        recogniser_of(checkpoint_content(prepared, state), "test"), 1, as_json=False
    )
    printer.check(prepared.corpus)
    assert capsys.readouterr().err == ""
    clips = [prepared.corpus.clip(row) for row in range(3)]
    clips[0] = replace(clips[0], gloss="tree")
    write_shard(tmp_path / "more.parquet", clips, {"extractor": "test"})
    corpus = open_shards(str(tmp_path / "more.parquet"))
    printer.check(corpus)
    told = capsys.readouterr().err
    assert f"does not know 1 of the {len(corpus.glosses)} glosses of more, and says" in told
