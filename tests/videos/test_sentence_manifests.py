"""Clips to extract with a sentence each: corpora of continuous signing, and tables of one's own."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from clip_factory import assert_same, make_clip
from manifest_factory import PLAIN, by_id, files

from slr_ray.errors import DataError
from slr_ray.poses.sentence import Sentence
from slr_ray.videos.detection.extractor import Extracted, Quality
from slr_ray.videos.frames.source import VideoClip
from slr_ray.videos.manifests import read_corpus, read_manifest
from slr_ray.videos.manifests.manifest import ManifestOptions, from_table, to_table
from slr_ray.videos.pipeline.worker import done, read_result

_14 = "id|folder|signer|annotation\n"
_14T = "name|video|start|end|speaker|orth|translation\n"


def pictures(folder: Path, *names: str) -> Path:
    return files(folder, *(f"{name}/images{number:04d}.png" for name in names for number in (1, 2)))


def test_phoenix_2014_lies_in_folders_below_its_clips(tmp_path: Path) -> None:
    frames = pictures(tmp_path / "frames", "train/a-0/1", "dev/a-0/1", "dev/b-1/1")
    for split, text in (
        ("train", "a-0|a-0/1/*.png|Signer01|__ON__ WIND STARK\n"),
        ("dev", "b-1|b-1/1/*.png|Signer02|REGEN REGEN\nc-2|c-2/1/*.png|Signer02|SCHNEE\n"),
    ):
        files(tmp_path, f"manual/{split}.corpus.csv")
        (tmp_path / "manual" / f"{split}.corpus.csv").write_text(_14 + text)
    made = read_corpus("phoenix14", tmp_path / "manual", ManifestOptions(videos=str(frames)))
    rows = by_id(made)
    assert {one: row.sentence for one, row in rows.items()} == {
        "a-0": Sentence(("WIND", "STARK")),
        "b-1": Sentence(("REGEN",)),
    }
    assert rows["a-0"].path == str(frames / "train" / "a-0" / "1")
    assert (rows["b-1"].signer, rows["b-1"].split) == ("signer02", "validation")
    assert (rows["b-1"].fps, rows["b-1"].gloss, rows["b-1"].corpus) == (25.0, None, "phoenix14")
    assert [one.clip_id for one in made.absent] == ["c-2"]


def test_phoenix_2014_t_lies_one_folder_higher_than_it_says(tmp_path: Path) -> None:
    frames = pictures(tmp_path / "frames", "train/a-0", "test/a-0")
    manual = files(tmp_path, "PHOENIX-2014-T.test.corpus.csv") / "PHOENIX-2014-T.test.corpus.csv"
    manual.write_text(f"{_14T}a-0|a-0/1/*.png|-1|-1|Signer01|WIND|der wind .\n")
    options = ManifestOptions(videos=str(frames), fps=50.0)
    (row,) = read_corpus("phoenix14t", manual, options).rows
    assert row.path == str(frames / "test" / "a-0")
    assert row.sentence == Sentence(("WIND",), text="der wind .")
    assert row.fps == 50


def test_csl_daily_is_found_by_its_names(tmp_path: Path) -> None:
    name = "S000020_P0007_T00"
    frames = pictures(tmp_path / "frames_512x512", name)
    stm = files(tmp_path, "csl-daily-groundtruth-dev.stm") / "csl-daily-groundtruth-dev.stm"
    stm.write_text(f"{name} 1 unknown 0.0 1.79769e+308 你们 好\n", encoding="utf-8")
    (row,) = read_corpus("csl_daily", stm, ManifestOptions(videos=str(frames))).rows
    assert (row.clip_id, row.signer, row.fps) == (name, "P0007", 30.0)
    assert row.glosses == ("你们", "好")


def test_broken_rows_stop_or_are_listed(tmp_path: Path) -> None:
    frames = pictures(tmp_path / "frames", "train/a-0/1")
    manual = files(tmp_path, "train.corpus.csv") / "train.corpus.csv"
    manual.write_text(f"{_14}a-0|a-0/1/*.png|Signer01|WIND\nb-1|b-1\n")
    options = ManifestOptions(videos=str(frames))
    with pytest.raises(DataError, match=r"line 3: 2 cells, expected 4. Pass --skip-broken"):
        read_corpus("phoenix14", manual, options)
    made = read_corpus("phoenix14", manual, replace(options, skip_broken=True))
    assert [one.clip_id for one in made.skipped] == ["b-1"]


def test_a_table_of_one_s_own_may_name_sentences(tmp_path: Path) -> None:
    table = files(tmp_path, "a.mp4", "b.mp4", "clips.csv") / "clips.csv"
    table.write_text("path,glosses,text\na.mp4,CAT  DOG,Katze und Hund\nb.mp4,,\n")
    first, second = read_manifest(str(table), PLAIN).rows
    assert first.sentence == Sentence(("CAT", "DOG"), text="Katze und Hund")
    assert second.sentence is None


def test_sentences_survive_the_manifest_that_is_kept(tmp_path: Path) -> None:
    table = files(tmp_path, "a.mp4", "b.mp4", "clips.csv") / "clips.csv"
    table.write_text("path,glosses\na.mp4,CAT DOG\nb.mp4,\n")
    rows = read_manifest(str(table), PLAIN).rows
    kept = to_table(rows)
    assert from_table(kept) == rows
    # As a version before sentences wrote it.
    older = kept.drop_columns(["glosses", "text"])
    assert [row.glosses for row in from_table(older)] == [None, None]


def test_a_worker_hands_a_sentence_on(tmp_path: Path) -> None:
    table = files(tmp_path, "a.mp4", "clips.csv") / "clips.csv"
    table.write_text("path,glosses,text,signer\na.mp4,CAT DOG,Katze und Hund,ann\n")
    (row,) = to_table(read_manifest(str(table), PLAIN).rows).to_pylist()
    sentence = VideoClip.of(row).sentence
    clip = replace(make_clip("a", gloss=None, signer="ann"), sentence=sentence)
    zeros: dict[str, Any] = {"bool": False, "float": 0.0}
    quality = Quality(**{one.name: zeros.get(str(one.type), 0) for one in fields(Quality)})
    (made,) = done({**row, "attempts": 1}, Extracted(clip, quality)).to_pylist()
    outcome, read = read_result(made)
    assert outcome.glosses == ("CAT", "DOG")
    assert read is not None
    assert read.sentence == Sentence(("CAT", "DOG"), text="Katze und Hund")
    assert_same(read, clip)
