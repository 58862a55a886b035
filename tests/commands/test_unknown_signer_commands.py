"""Clips of unknown signers through the commands: pool, plan, extra data, prediction."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from experiment_factory import EMBEDDED, SMALL, new_run, opened, plan, printed, tiny, trained

from slr_ray.corpora.arrays import UNKNOWN_SIGNER
from slr_ray.corpora.data import open_data
from slr_ray.experiment.encoder_file import load_encoder, seen_warning
from slr_ray.experiment.experiment import build_experiment
from slr_ray.methods.pretraining import save_encoder
from slr_ray.poses.shard_writing import write_shard
from slr_ray.predict import predict
from slr_ray.search.search_run import check_data
from slr_ray.storage import Store
from slr_ray.train import train


def written(folder: Path) -> Path:
    """A labelled shard, and beside it one of its clips as nobody's, half of them with a gloss."""
    corpus = open_data(build_experiment({"data": EMBEDDED}, "test").data)
    clips = [corpus.clip(row) for row in range(corpus.num_clips)]
    folder.mkdir()
    write_shard(folder / "known.parquet", clips, {"extractor": "embedded"})
    nobody = [
        replace(
            one,
            clip_id=f"web-{row}",
            signer=None,
            gloss=one.gloss if row % 2 else None,
            positions=one.positions * np.float32(0.9),
        )
        for row, one in enumerate(clips[:40])
    ]
    write_shard(folder / "web.parquet", nobody, {"extractor": "embedded"})
    return folder


def test_they_are_a_pool_whose_labels_nobody_sees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path / "poses")
    out = tmp_path / "out"
    train([*SMALL], data=str(folder), out=str(out), num_threads=1, labelled_fraction=0.3)
    told = printed(capsys)
    assert "40 clips of unknown signers are in the unlabelled pool only; they may show" in told
    checkpoint = str(out / "seed_0/checkpoint.pt")
    table = pq.read_table(folder / "web.parquet")
    pq.write_table(table.drop_columns(["signer"]), tmp_path / "web.parquet")
    predict([str(tmp_path / "web.parquet")], checkpoint=checkpoint, json_lines=True)
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["clip_id"] for one in answers] == [f"web-{row}" for row in range(40)]
    assert all(len(one["top"]) == 4 for one in answers)


def test_a_plan_and_its_record_count_them(tmp_path: Path) -> None:
    data = {"kind": "shards", "location": str(written(tmp_path / "poses"))}
    run = new_run(tmp_path, data=data)
    assert "40 clips of unknown signers are in the unlabelled pool only" in plan(run)
    record = check_data(run)
    assert record["num_clips_of_unknown_signers"] == 40
    known = {f"signer{number:04d}" for number in range(8)}
    assert set(record["training"]["signers"]) < known
    pool, corpus = run.default.pool(0), run.default.corpus
    assert (corpus.signer_index[pool.unlabelled] == UNKNOWN_SIGNER).sum() == 40


def test_extra_data_keeps_them_and_the_encoder_tells(tmp_path: Path) -> None:
    folder = written(tmp_path / "poses")
    config = tiny(initialisation={"extra_data": [str(folder / "web.parquet")]})
    prepared = opened(config)
    seen = prepared.pretraining_clips
    assert (seen.num_left_out, seen.num_of_unknown_signers) == (0, 40)
    assert "40 of unknown signers, who may be people that results are measured" in seen.described()
    save_encoder(prepared, 0, trained(config), Store(str(tmp_path)), "encoder.pt")
    encoder = load_encoder(tmp_path)
    assert encoder.num_of_unknown_signers == 40
    told = seen_warning(encoder, prepared.corpus, prepared.split.test)
    assert told is not None
    assert "40 clips of unknown signers" in told
