"""What people's names and tables look like: topics, accents, lost zeros, marks, other columns."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from manifest_factory import PLAIN, by_id, files
from PIL import Image

from slr_ray.errors import DataError
from slr_ray.videos.manifests import read_corpus, read_manifest
from slr_ray.videos.manifests.manifest import Manifest, ManifestOptions

TOPICS = (
    "Animals/4. Bird/1.MOV",
    "Animals/5. Cow/2.MOV",
    "Jobs/6. Cop/3.MOV",
    "Home/9. Door/4.MOV",
)


def test_folders_that_may_be_topics_are_told(tmp_path: Path) -> None:
    source = str(files(tmp_path, *TOPICS))
    made = read_manifest(source, PLAIN)
    (note,) = [one for one in made.notes if "categories" in one]
    assert "'4. Bird' below 'Animals'" in note
    assert "--layout category/gloss/clip" in note
    asked = read_manifest(source, ManifestOptions(layout="category/gloss/clip", signer="ann"))
    assert not any("categories" in one for one in asked.notes)
    row = by_id(asked)["Jobs/6. Cop/3"]
    assert (row.gloss, row.signer) == ("6. Cop", "ann")


@pytest.mark.parametrize(
    "names",
    [
        ("ann/red/1.mp4", "ann/blue/1.mp4", "ann/green/1.mp4"),
        ("ann/red/1.mp4", "bob/blue/1.mp4", "bob/green/1.mp4", "bob/red/1.mp4"),
    ],
)
def test_people_are_not_called_topics(names: tuple[str, ...], tmp_path: Path) -> None:
    made = read_manifest(str(files(tmp_path, *names)), PLAIN)
    assert not any("categories" in one for one in made.notes)


@pytest.mark.parametrize("word", ["train", "TRAIN", "Training"])
def test_words_for_splits_become_ours(word: str, tmp_path: Path) -> None:
    made = read_manifest(str(files(tmp_path, f"{word}/red/1.mp4", "Dev/red/2.mp4")), PLAIN)
    assert {row.split for row in made.rows} == {"training", "validation"}
    table = tmp_path / "clips.csv"
    table.write_text(f"path,split\na.mp4,{word}\nb.mp4,VALID\nc.mp4,extra\nd.mp4,\n")
    splits = [row.split for row in read_manifest(str(table), PLAIN).rows]
    assert splits == ["training", "validation", "extra", None]


def test_files_of_operating_systems_are_no_clips(tmp_path: Path) -> None:
    names = ("red/1.mp4", "red/._1.mp4", "__MACOSX/red/1.mp4", "red/@eaDir/1.mp4/a.jpg")
    files(tmp_path, *names, "red/@eaDir/1.mp4/b.jpg", "red/Thumbs.db", "desktop.ini")
    made = read_manifest(str(tmp_path), PLAIN)
    assert list(by_id(made)) == ["red/1"]
    assert not any("left aside" in note for note in made.notes)


def test_accents_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    """A Mac stores ñ as n and a tilde; metadata has it as one letter."""
    name = unicodedata.normalize("NFD", "señal")
    videos = files(tmp_path / "v", f"{name}/{name}.mp4")
    (row,) = read_manifest(str(videos), PLAIN).rows
    assert (row.gloss, row.clip_id) == ("señal", "señal/señal")
    assert row.path == str(videos / name / f"{name}.mp4")
    metadata = tmp_path / "train.csv"
    metadata.write_text("Participant ID,Video file,Gloss\nP1,señal.mp4,SEÑAL\n")
    made = read_corpus("asl_citizen", metadata, ManifestOptions(videos=str(videos)))
    assert [one.path for one in made.rows] == [row.path]


def wlasl(tmp_path: Path, encoding: str = "utf-8", **instance: Any) -> Manifest:
    metadata = tmp_path / "w.json"
    known = {"video_id": "00335", "signer_id": 5, "split": "train"}
    entries = [{"gloss": "book", "instances": [{**known, **instance}]}]
    metadata.write_text(json.dumps(entries), encoding=encoding)
    videos = files(tmp_path / "v", "00335.mp4", "00336.mp4")
    return read_corpus("wlasl", metadata, ManifestOptions(videos=str(videos)))


@pytest.mark.parametrize("video_id", ["00335", 335, 335.0, "335"])
def test_ids_that_lost_their_zeros_are_found(video_id: object, tmp_path: Path) -> None:
    (row,) = wlasl(tmp_path, video_id=video_id).rows
    assert (row.clip_id, row.split) == ("00335", "training")


def test_an_id_that_may_mean_two_videos_is_absent(tmp_path: Path) -> None:
    files(tmp_path / "v", "0335.mp4")
    with pytest.raises(DataError, match="no video 335"):
        wlasl(tmp_path, video_id=335)


@pytest.mark.parametrize("signer", [None, -1, "", "nan"])
def test_a_signer_may_not_be_known(signer: object, tmp_path: Path) -> None:
    assert wlasl(tmp_path, signer_id=signer).rows[0].signer == PLAIN.signer_of(None)


def test_what_wlasl_says_besides_is_named(tmp_path: Path) -> None:
    made = wlasl(tmp_path, bbox=[1, 2, 3, 4], variation_id=1)
    assert made.notes == ["columns ignored: bbox, variation_id"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_text(encoding: str, tmp_path: Path) -> None:
    assert len(wlasl(tmp_path, encoding).rows) == 1
    table = tmp_path / "clips.csv"
    table.write_text("path;Gloss\na.mp4;señal\n", encoding=encoding)
    made = read_manifest(str(table), PLAIN)
    assert [(row.clip_id, row.gloss) for row in made.rows] == [("a", "señal")]
    names = tmp_path / "names.txt"
    names.write_text("book\n", encoding=encoding)
    videos = files(tmp_path / "lsa", "001_001_001.mp4")
    (row,) = read_corpus("lsa64", names, ManifestOptions(videos=str(videos))).rows
    assert row.gloss == "book"


def test_the_option_names_the_signer_where_the_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/train.csv").write_text(
        "Participant ID,Video file,Gloss,ASL-LEX Code\n,1.mp4,APPLE,A\nP2,2.mp4,APPLE,A\n"
    )
    (tmp_path / "s/._train.csv").write_bytes(b"\x00\xff")
    options = ManifestOptions(signer="ann", videos=str(files(tmp_path / "v", "1.mp4", "2.mp4")))
    made = read_corpus("asl_citizen", tmp_path / "s", options)
    assert [row.signer for row in made.rows] == ["ann", "P2"]
    assert made.notes == ["columns ignored: ASL-LEX Code"]
    (tmp_path / "instances.csv").write_text("id,sign,signer,start,end\n1,A,,0,9\n2,A,S2,0,9\n")
    made = read_corpus("lsfb_isol", tmp_path / "instances.csv", options)
    assert [row.signer for row in made.rows] == ["ann", "S2"]
    assert "columns ignored: start, end" in made.notes


def test_a_table_without_glosses_says_so(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("Path,label,Signer\nv.mp4,red,007\n")
    made = read_manifest(str(table), PLAIN)
    assert made.rows[0].signer == "007"
    assert made.notes == ["columns ignored: label", "no column gloss: every clip is unlabelled"]


def test_columns_that_differ_in_capital_letters_only(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("path,gloss,Gloss\nv.mp4,red,blue\n")
    with pytest.raises(DataError, match="capital letters"):
        read_manifest(str(table), PLAIN)


def test_a_folder_of_pictures_is_a_clip(tmp_path: Path) -> None:
    files(tmp_path, "red/1/0001.png", "red/1/0002.png", "red/2.mp4", "blue/v1.2/a1.jpg")
    files(tmp_path, "blue/v1.2/a2.jpg")
    made = read_manifest(str(tmp_path), ManifestOptions(fps=25.0))
    rows = by_id(made)
    assert set(rows) == {"red/1", "red/2", "blue/v1.2"}
    assert (rows["red/1"].gloss, rows["red/1"].fps, rows["red/1"].size_bytes) == ("red", 25.0, 14)
    assert rows["red/1"].path == str(tmp_path / "red/1")
    assert rows["red/2"].fps is None
    assert "2 folders of pictures, each taken as one video, at 25 a second" in made.notes
    assert any("--fps" in note for note in read_manifest(str(tmp_path), PLAIN).notes)
    behind = by_id(read_manifest(f"file://{tmp_path}/*/v*", PLAIN))
    assert [row.path for row in behind.values()] == [f"file://{tmp_path}/blue/v1.2"]
    (alone,) = read_manifest(str(tmp_path / "red/1"), PLAIN).rows
    assert (alone.clip_id, alone.path) == ("1", str(tmp_path / "red/1"))


def test_pictures_that_a_glob_names_stay_clips_of_their_own(tmp_path: Path) -> None:
    files(tmp_path, "red/1.png", "red/2.png")
    made = read_manifest(f"{tmp_path}/red/*.png", PLAIN)
    assert {Path(row.path).name for row in made.rows} == {"1.png", "2.png"}


def test_gsl_is_read_as_it_is_published(tmp_path: Path) -> None:
    folder = tmp_path / "v/GSL_isol/police1_signer3_rep1_glosses/glosses0000"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (16, 16)).save(folder / f"frame_{number:04d}.jpg")
    (tmp_path / "train_greek_iso.csv").write_text(
        "police1_signer3_rep1_glosses/glosses0000|ΓΕΙΑ\n", encoding="utf-8-sig"
    )
    made = read_corpus("gsl", tmp_path, ManifestOptions(videos=str(tmp_path / "v")))
    (row,) = made.rows
    assert (row.path, row.fps, row.signer, row.split) == (str(folder), 30.0, "signer3", "training")


def test_a_table_gives_pictures_their_rate(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("path,fps\na,12.5\nb,\nc.mp4,30\n")
    made = read_manifest(str(table), ManifestOptions(fps=25.0))
    # A video file has times of its own.
    assert [row.fps for row in made.rows] == [12.5, 25.0, None]
