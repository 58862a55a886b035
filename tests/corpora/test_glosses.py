"""Corpora of some glosses: what stays, under which numbers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clip_factory import assert_same, clips_of

from slr_ray.boundaries.answer import true_boundaries
from slr_ray.config import Config, build
from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.data import ShardsConfig, open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, boundaries
from slr_ray.corpora.pools import AllPoolConfig, draw_pool
from slr_ray.corpora.splits import ClipSplitConfig, FileSplitConfig, split_corpus
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.opener import Opener
from slr_ray.poses.shard_writing import write_shard

# Twice as many of bed and drink as of book and yes; tim signs nothing but yes.
ROWS = [
    ("ann", "yes"),
    ("ann", "drink"),
    ("tim", "yes"),
    ("bob", "bed"),
    ("bob", "drink"),
    ("ann", None),
    (None, "bed"),
    ("eve", "book"),
    ("bob", "bed"),
    ("ann", "drink"),
    ("bob", "bed"),
    ("eve", "drink"),
    ("ann", "book"),
]


@pytest.fixture
def shards(tmp_path: Path) -> str:
    path = tmp_path / "poses.parquet"
    clips = [clips_of(ROWS, num_frames=number + 1)[number] for number in range(len(ROWS))]
    write_shard(path, clips, {"extractor": "test"})
    return str(path)


def opened(shards: str, glosses: Any) -> Corpus:
    return open_data(build(ShardsConfig, {"location": shards, "glosses": glosses}, "test"))


def test_clips_of_other_glosses_are_gone_and_the_rest_is_renumbered(shards: str) -> None:
    whole, part = opened(shards, None), opened(shards, ["book", "bed"])
    rows = [row for row, (_, gloss) in enumerate(ROWS) if gloss in ("bed", "book", None)]
    assert part.num_clips == len(rows)
    assert (part.glosses, part.signers) == (("bed", "book"), ("ann", "bob", "eve"))
    for new, old in enumerate(rows):
        assert_same(part.clip(new), whole.clip(old))
        assert part.num_frames[new] == whole.num_frames[old]
    assert part.gloss_index.tolist() == [0, UNLABELLED, 0, 1, 0, 0, 1]
    assert part.signer_index.tolist() == [1, 0, UNKNOWN_SIGNER, 2, 1, 1, 0]
    assert part.clip_ids.to_pylist() == [f"clip{row}" for row in rows]
    assert len(part.fps) == len(rows)
    split = split_corpus(part, ClipSplitConfig())
    every = np.concatenate([split.training, split.validation, split.test])
    assert sorted(every) == list(range(part.num_clips))
    assert draw_pool(part, split.training, AllPoolConfig(), 0).unlabelled.tolist() == [1]


def test_the_frames_are_those_of_the_one_copy_in_the_cache(shards: str) -> None:
    whole, part = opened(shards, None), opened(shards, ["book", "bed"])
    assert part.folder == whole.folder
    assert np.shares_memory(part.frames_of(0), part.frames)
    assert not part.frames.flags.owndata


def test_the_most_frequent_come_first_and_equals_by_name(shards: str) -> None:
    assert [opened(shards, count).glosses for count in (1, 2, 3, 4)] == [
        ("bed",),
        ("bed", "drink"),
        ("bed", "book", "drink"),
        ("bed", "book", "drink", "yes"),
    ]


def test_equal_glosses_are_equal_corpora_however_they_are_asked_for(
    shards: str, tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("\ufeffdrink\n\n bed \n")
    wlasl = [{"gloss": one, "instances": []} for one in ("bed", "drink", "yes", "gone")]
    (tmp_path / "WLASL_v0.3.json").write_text(json.dumps(wlasl))
    (tmp_path / "split.csv").write_text("clip_id,split,few\nclip1,val,1\nclip3,train,1\nx,test,1\n")
    ways: list[Any] = [
        2,
        ["drink", "bed"],
        {"file": str(tmp_path / "names.txt")},
        {"file": str(tmp_path / "WLASL_v0.3.json"), "first": 2},
        {"file": str(tmp_path / "split.csv"), "column": "few"},
    ]
    assert len({opened(shards, way).fingerprint for way in ways}) == 1
    whole = opened(shards, None).fingerprint
    assert opened(shards, 2).fingerprint not in (whole, opened(shards, 3).fingerprint)
    assert opened(shards, 4).fingerprint == whole
    gone = {"file": str(tmp_path / "WLASL_v0.3.json"), "skip_missing": True}
    assert opened(shards, gone).glosses == ("bed", "drink", "yes")


@pytest.mark.parametrize(
    ("glosses", "words"),
    [
        (5, "data.glosses=5, but poses has 4 glosses"),
        (0, "glosses.num_glosses: Input should be greater than or equal to 1 .got 0"),
        (["bed", "boook", "nix"], "poses has no gloss 'boook', 'nix'; did you mean 'book'"),
        ("bed", r"a number, a list of names, or \{file: PATH\} .got 'bed'"),
        ({"names": ["bed"]}, "a number, a list of names, or"),
        ({"file": "nowhere.txt"}, "cannot read '.*nowhere.txt'"),
        ({"file": "some.txt"}, "some.txt: poses has no gloss 'gone'; .*skip_missing=true"),
        ({"file": "none.txt", "skip_missing": True}, "poses has no gloss 'gone'"),
        ({"file": "some.txt", "first": 3}, "lists 2 glosses, data.glosses.first is 3"),
        ({"file": "some.txt", "column": "few"}, "column 'few' is for a .csv file"),
        ({"file": "other.json"}, "is no list of glosses"),
        ({"file": "clips.csv"}, "give column"),
        ({"file": "clips.csv", "column": "wlasl"}, "no column wlasl .it has clip_id, few"),
        ({"file": "clips.csv", "column": "few"}, "no clip with a 1 in column 'few'"),
    ],
)
def test_what_is_not_there_is_named(
    glosses: Any, words: str, shards: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("some.txt").write_text("bed\ngone\n")
    Path("none.txt").write_text("gone\n")
    Path("other.json").write_text('{"bed": 1}')
    Path("clips.csv").write_text("clip_id;few\nclip0;0\nelsewhere;1\n")
    with pytest.raises((ConfigError, DataError), match=words):
        opened(shards, glosses)


def test_a_split_file_of_all_glosses_serves_some(shards: str, tmp_path: Path) -> None:
    names = ["train", "val", "test"]
    rows = [f"clip{row},{'train' if row == 5 else names[row % 3]}" for row in range(len(ROWS))]
    path = tmp_path / "split.csv"
    path.write_text("clip_id,split\n" + "\n".join(rows))
    part = opened(shards, ["bed", "drink"])
    split = split_corpus(part, FileSplitConfig(path=path))
    ids = part.clip_ids.take(split.test).to_pylist()
    assert ids == ["clip8", "clip11"]
    path.write_text("clip_id,split\nclip99,train\n")
    with pytest.raises(DataError, match="none of its 1 clips is in poses"):
        split_corpus(part, FileSplitConfig(path=path))


def test_the_embedded_corpus_has_one_copy_and_true_boundaries_for_all_choices() -> None:
    small = {"num_glosses": 4, "num_signers": 4, "clips_per_block": 2}
    whole, part = (open_data(build(EmbeddedConfig, {**small, **one}, "test")) for one in ({}, TWO))
    assert part.folder == whole.folder
    assert part.provenance == whole.provenance
    assert 0 < part.num_clips < whole.num_clips
    truth = {one.clip_id: one.head_fraction for one in boundaries(EmbeddedConfig(**small))}
    clips = np.arange(0, part.num_clips, 3)
    heads = true_boundaries(part, clips)
    assert heads is not None
    assert heads[:, 0].tolist() == [truth[one] for one in part.clip_ids.take(clips).to_pylist()]


TWO: dict[str, Any] = {"glosses": 2}


def test_an_experiment_says_which_and_is_the_same_when_read_again(shards: str) -> None:
    opener = Opener()
    config = opener.build({"data": {"kind": "shards", "location": shards, **TWO}}, "test")
    again = opener.build(config.model_dump(mode="json"), "test")
    assert again == config
    assert isinstance(again, Config)
    assert opener.corpus(again.data).glosses == ("bed", "drink")
