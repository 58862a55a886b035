"""Labels are counted against what they were drawn from, whatever share was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clip_factory import clips_of
from experiment_factory import EMBEDDED, opened

from slr_ray.experiment.data_summary import pool_text
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.poses.shard_writing import write_shard


def prepared(pool: dict[str, Any], data: dict[str, Any] = EMBEDDED) -> Prepared:
    return opened(build_experiment({"data": data, "pool": pool}, "test"))


def test_a_share_of_the_corpus_and_of_each_gloss_are_told_apart() -> None:
    total = len(prepared({"kind": "all"}).split.training)
    asked = {"kind": "fraction", "fraction": 0.03}
    for of, num_clips in (("corpus", round(0.03 * total)), ("gloss", 4)):
        told = pool_text(prepared({**asked, "of": of}), 0)
        share = f"{100 * num_clips / total:.1f} % of {total} training clips, + "
        assert f"seed 0: labelled for training {num_clips} clips, {share}" in told
        assert f"{total - num_clips} unlabelled" in told


def test_clips_without_a_gloss_are_no_labels_that_could_be_drawn(tmp_path: Path) -> None:
    rows: list[tuple[str | None, str | None]] = [
        (f"s{signer}", gloss) for signer in range(5) for gloss in ("a", "b", "a", "b")
    ]
    path = tmp_path / "poses.parquet"
    write_shard(path, clips_of([*rows, *[("s9", None)] * 7]), {"extractor": "test"})
    found = prepared({"kind": "per_gloss", "num_clips": 3}, shards(path))
    known = found.num_training_labels
    assert known == len(found.split.training) - 7
    told = f"6 clips, {600 / known:.1f} % of {known} training clips with a gloss, + "
    assert told in pool_text(found, 0)


def shards(path: Path) -> dict[str, Any]:
    return {"kind": "shards", "location": str(path)}


def test_the_counts_are_those_of_the_glosses_that_are_left() -> None:
    whole, part = (prepared({"kind": "all"}, {**EMBEDDED, "glosses": one}) for one in (None, 2))
    assert part.num_training_labels < whole.num_training_labels
    assert f"{part.num_training_labels} training clips" in pool_text(part, 0)
