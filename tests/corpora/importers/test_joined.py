"""Annotations joined to poses: which clip is whose, what is left out, and times in frames."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clip_factory import make_clip, make_sentence
from importer_factory import opened
from sentence_sources import WRITERS

from slr_ray.annotations.annotation import Annotation
from slr_ray.corpora.importers.conversion import convert
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.sentences.frame_times import times_in_frames
from slr_ray.corpora.importers.source import Source, read_clips
from slr_ray.errors import ConfigError, DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.shards import ShardReader, Skipped


def joined(folder: Path, clips: list[Clip], table: dict[str, Any], **options: Any) -> Source:
    poses, glosses = folder / "poses.parquet", folder / "glosses.json"
    write_shard(poses, clips, {"extractor": "a test", "version": None, "settings": {}})
    glosses.write_text(json.dumps(table))
    return opened("gloss_table", glosses, poses=str(poses), **options)


def test_a_clip_s_own_gloss_gives_way_and_its_signer_stays(tmp_path: Path) -> None:
    clip = make_clip("a", gloss="folder", signer="ann")
    source = joined(tmp_path, [clip], {"a": {"glosses": "CAT DOG"}})
    (found,) = read_clips(source, skip_broken=False, skipped=[])
    assert (found.gloss, found.signer) == (None, "ann")
    assert found.sentence is not None
    assert found.sentence.glosses == ("CAT", "DOG")
    assert source.provenance["extractor"] == "a test"


@pytest.mark.parametrize("poses", ["poses.parquet", "."])
def test_poses_are_not_replaced_by_what_is_made_of_them(tmp_path: Path, poses: str) -> None:
    joined(tmp_path, [make_clip("a"), make_clip("b")], {"a": {"glosses": "CAT"}})
    before = (tmp_path / "poses.parquet").read_bytes()
    with pytest.raises(ConfigError, match=r"poses\.parquet is read from .*would be replaced"):
        convert(
            tmp_path / "nowhere.json",
            tmp_path / "poses.parquet",
            source_format="gloss_table",
            poses=str(tmp_path / poses),
        )
    assert (tmp_path / "poses.parquet").read_bytes() == before


def test_clips_that_no_annotation_names_are_left_out_and_told(tmp_path: Path) -> None:
    clips = [make_clip("a"), make_clip("b"), make_sentence("c", ["X"])]
    source = joined(tmp_path, clips, {"a": {"glosses": "CAT"}})
    assert [one.clip_id for one in read_clips(source, skip_broken=False, skipped=[])] == ["a"]
    (remark,) = source.remarks.lines()
    assert "no annotation names, left out: 2 (b, c)" in remark


def test_a_broken_annotation_names_its_clip_all_the_same(tmp_path: Path) -> None:
    broken = {"glosses": "CAT", "start_ms": [900], "end_ms": [100]}
    clips = [make_clip("a"), make_clip("b")]
    source = joined(tmp_path, clips, {"a": {"glosses": "CAT"}, "b": broken})
    assert not source.remarks.lines()
    skipped: list[Skipped] = []
    assert len(list(read_clips(source, skip_broken=True, skipped=skipped))) == 1
    assert [one.clip_id for one in skipped] == ["b"]


def test_a_sentence_without_poses_stops_the_import_before_any_clip(tmp_path: Path) -> None:
    table = {"a": {"glosses": "CAT"}, "z": {"glosses": "DOG"}}
    source = joined(tmp_path, [make_clip("a")], table)
    assert source.num_clips == 2
    with pytest.raises(DataError, match=r"entry 1: it has no poses: no clip of .* is named so"):
        next(read_clips(source, skip_broken=False, skipped=[]))
    skipped: list[Skipped] = []
    source = joined(tmp_path, [make_clip("a")], table)
    assert len(list(read_clips(source, skip_broken=True, skipped=skipped))) == 1
    assert [one.clip_id for one in skipped] == ["z"]


def test_a_sentence_with_more_glosses_than_frames_is_named(tmp_path: Path) -> None:
    clip = make_clip("a")
    table = {"a": {"glosses": ["CAT", "DOG"] * clip.num_frames}}
    with pytest.raises(DataError, match=rf"glosses in {clip.num_frames} frames"):
        list(read_clips(joined(tmp_path, [clip], table), skip_broken=False, skipped=[]))


def test_a_folder_on_a_clip_s_path_may_be_its_name(tmp_path: Path) -> None:
    source = joined(tmp_path, [make_clip("train/a/1")], {"a": {"glosses": "CAT"}})
    assert [one.clip_id for one in read_clips(source, skip_broken=False, skipped=[])] == ["a"]
    with pytest.raises(DataError, match=r"named as sentence 'a': 'train/a/1' and 'dev/a/1'"):
        joined(tmp_path, [make_clip("train/a/1"), make_clip("dev/a/1")], {"a": {"glosses": "CAT"}})


def test_poses_of_other_clips_are_told_by_both_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"clips are called b, sentences a"):
        joined(tmp_path, [make_clip("b")], {"a": {"glosses": "CAT"}})


@pytest.mark.parametrize(
    ("name", "rate"), [("phoenix14", 25), ("phoenix14t", 25), ("csl_daily", 30)]
)
def test_poses_without_a_frame_rate_have_the_corpus_s_own(
    tmp_path: Path, name: str, rate: int
) -> None:
    written = WRITERS[name](tmp_path)
    path = written.options["poses"]
    first, second = ShardReader(path)
    clips = [replace(first, fps=50.0), replace(second, fps=None)]
    write_shard(path, clips, {})
    source = opened(name, written.path, **written.options)
    found = read_clips(source, skip_broken=False, skipped=[])
    assert [clip.fps for clip in found] == [50, rate]
    told = f"name no frame rate, taken as the corpus's own of {rate} a second; --fps says otherwise"
    assert f"{told}: 1 ({written.names[1]})" in source.remarks.lines()[-1]
    known = opened(name, written.path, **written.options, fps=10.0)
    assert [clip.fps for clip in read_clips(known, skip_broken=False, skipped=[])] == [50, 10]


def row(*times: tuple[float, float], length_ms: float | None = None) -> Annotation:
    glosses = tuple(f"G{number}" for number in range(len(times)))
    exact = tuple((float(start), float(end)) for start, end in times)
    return Annotation("a", "here", glosses, times_ms=exact, length_ms=length_ms)


@pytest.mark.parametrize(
    ("times", "frames"),
    [
        ([(0, 400), (400, 1000)], ((0, 10), (10, 25))),
        ([(0, 60), (60, 100)], ((0, 2), (2, 3))),
        ([(0, 10), (40, 50)], ((0, 1), (1, 2))),
        ([(40, 1100)], ((1, 25),)),
    ],
)
def test_milliseconds_become_frames(
    times: list[tuple[float, float]], frames: tuple[tuple[int, int], ...]
) -> None:
    assert times_in_frames(row(*times), 25.0, 25, Remarks()) == frames


@pytest.mark.parametrize(
    "times", [[(0, 400), (200, 600)], [(400, 600), (0, 200)], [(0, 2000)], [(1120, 1160)]]
)
def test_times_that_overlap_or_lie_outside_are_refused(times: list[tuple[float, float]]) -> None:
    with pytest.raises(DataError, match=r"gloss 'G\d' at .* does not lie between"):
        times_in_frames(row(*times), 25.0, 25, Remarks())


@pytest.mark.parametrize(
    ("length_ms", "fps", "reason"),
    [(1200.0, 25.0, "not as long as the recording"), (None, None, "no frame rate is known")],
)
def test_times_of_another_recording_are_not_used_and_told(
    length_ms: float | None, fps: float | None, reason: str
) -> None:
    remarks = Remarks()
    assert times_in_frames(row((0, 5000), length_ms=length_ms), fps, 25, remarks) is None
    (line,) = remarks.lines()
    assert reason in line
    assert times_in_frames(row((0, 400), length_ms=1080.0), 25.0, 25, Remarks()) == ((0, 10),)


@pytest.mark.real_data
def test_the_32_sentences_of_the_dgs_corpus(real_data: Path) -> None:
    names = ("dgscorpus_sentences32.json", "dgscorpus_sentences32.parquet")
    table, poses = (real_data / "dgs" / name for name in names)
    source = opened("gloss_table", table, poses=str(poses))
    clips = list(read_clips(source, skip_broken=False, skipped=[]))
    sentences = [clip.sentence for clip in clips if clip.sentence]
    assert len(sentences) == 32
    assert sum(len(one.glosses) for one in sentences) == 190
    matching = {name for name, one in json.loads(table.read_text()).items() if one["times_match"]}
    assert {one.clip_id for one in clips if one.sentence and one.sentence.times} == matching
