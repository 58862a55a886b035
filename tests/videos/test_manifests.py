"""Manifests: what folders, names and metadata files say about clips, and what they get wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifest_factory import PLAIN, by_id, files

from slr_ray.errors import ConfigError, DataError
from slr_ray.storage import resolve
from slr_ray.videos.frames.files import VIDEO_SUFFIXES
from slr_ray.videos.manifests import CORPORA, read_corpus, read_manifest
from slr_ray.videos.manifests.manifest import (
    ManifestOptions,
    Row,
    from_table,
    to_parquet,
)


def test_gloss_folders(tmp_path: Path) -> None:
    made = read_manifest(str(files(tmp_path, "red/1.mp4", "blue/1.MOV", "blue/n.txt")), PLAIN)
    rows = by_id(made)
    assert {clip_id: row.gloss for clip_id, row in rows.items()} == {
        "red/1": "red",
        "blue/1": "blue",
    }
    assert rows["red/1"].path == str(tmp_path / "red/1.mp4")
    assert rows["red/1"].signer is None
    assert rows["red/1"].size_bytes == 7
    assert "gloss/clip" in made.notes[0]
    assert "1 files that are no videos" in made.notes[1]


def test_signer_folders_and_the_other_order(tmp_path: Path) -> None:
    files(tmp_path, "ann/red/1.mp4", "bob/red/1.mp4")
    rows = by_id(read_manifest(str(tmp_path), PLAIN))
    assert (rows["ann/red/1"].signer, rows["ann/red/1"].gloss) == ("ann", "red")
    turned = read_manifest(str(tmp_path), ManifestOptions(layout="gloss/signer/clip"))
    row = by_id(turned)["ann/red/1"]
    assert (row.signer, row.gloss) == ("red", "ann")
    assert "as asked" in turned.notes[0]


def test_flat_folders_are_unlabelled(tmp_path: Path) -> None:
    made = read_manifest(str(files(tmp_path, "a.mp4", "b.mp4")), ManifestOptions(signer="ann"))
    assert [(row.gloss, row.signer) for row in made.rows] == [(None, "ann")] * 2


def test_folders_of_mixed_depth_name_a_way_out(tmp_path: Path) -> None:
    files(tmp_path, "a.mp4", "red/1.mp4")
    with pytest.raises(DataError, match=r"a\.mp4.*red/1\.mp4.*--layout"):
        read_manifest(str(tmp_path), PLAIN)
    with pytest.raises(DataError, match="--skip-broken"):
        read_manifest(str(tmp_path), ManifestOptions(layout="gloss/clip"))
    kept = read_manifest(str(tmp_path), ManifestOptions(layout="gloss/clip", skip_broken=True))
    assert [row.clip_id for row in kept.rows] == ["red/1"]
    assert [one.clip_id for one in kept.skipped] == ["a"]


def test_lsa64_names_are_recognised(tmp_path: Path) -> None:
    files(tmp_path, "001_002_003.mp4", "064_010_005.mp4")
    made = read_manifest(str(tmp_path), PLAIN)
    assert [(row.gloss, row.signer) for row in made.rows] == [("001", "002"), ("064", "010")]
    assert "lsa64" in made.notes[0]
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"sign{number}" for number in range(1, 65)))
    named = read_corpus("lsa64", names, ManifestOptions(videos=str(tmp_path)))
    assert [row.gloss for row in named.rows] == ["sign1", "sign64"]
    names.write_text("one")
    with pytest.raises(DataError, match="line 64"):
        read_corpus("lsa64", names, ManifestOptions(videos=str(tmp_path)))


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{gloss}_{signer}_{n}", "x/red_ann_1.mp4", ("red", "ann", None)),
        ("{split}/{signer}-{gloss}", "train/ann-red.mp4", ("red", "ann", "training")),
        ("{signer}/take.{n}.{gloss}", "ann/take.3.red.mp4", ("red", "ann", None)),
    ],
)
def test_patterns(
    pattern: str, name: str, expected: tuple[str, str, str | None], tmp_path: Path
) -> None:
    made = read_manifest(str(files(tmp_path, name)), ManifestOptions(pattern=pattern))
    (row,) = made.rows
    assert (row.gloss, row.signer, row.split) == expected


def test_bad_patterns(tmp_path: Path) -> None:
    files(tmp_path, "red_ann_1.mp4")
    for pattern, word in (("plain", "no field"), ("{gloss}{gloss}", "twice")):
        with pytest.raises(ConfigError, match=word):
            read_manifest(str(tmp_path), ManifestOptions(pattern=pattern))
    with pytest.raises(DataError, match="does not fit"):
        read_manifest(str(tmp_path), ManifestOptions(pattern="{gloss}-{signer}"))


def test_globs(tmp_path: Path) -> None:
    files(tmp_path, "a/red/1.mp4", "a/blue/2.mp4", "b/red/3.mp4", "a/red/4.avi")
    made = read_manifest(f"{tmp_path}/*/red/*.mp4", PLAIN)
    assert {(row.signer, row.gloss) for row in made.rows} == {("a", "red"), ("b", "red")}
    everything = read_manifest(f"{tmp_path}/**/*.[ma][pv]*", PLAIN)
    assert len(everything.rows) == 4
    with pytest.raises(DataError, match="no video"):
        read_manifest(f"{tmp_path}/*.mp4", PLAIN)


def test_what_exists_is_no_glob(tmp_path: Path) -> None:
    files(tmp_path / "set [HD]", "red/a [abc].mp4", "red/b.mp4")
    for source in (tmp_path / "set [HD]", f"file://{tmp_path}/set [HD]"):
        assert set(by_id(read_manifest(str(source), PLAIN))) == {"red/a [abc]", "red/b"}
    one = read_manifest(str(tmp_path / "set [HD]/red/a [abc].mp4"), PLAIN)
    assert set(by_id(one)) == {"a [abc]"}
    with pytest.raises(ConfigError, match="bad character range"):
        read_manifest(f"{tmp_path}/[z-a]*.mp4", PLAIN)


@pytest.mark.parametrize("suffix", sorted(VIDEO_SUFFIXES))
def test_all_kinds_of_videos_are_listed(suffix: str, tmp_path: Path) -> None:
    assert len(read_manifest(str(files(tmp_path, f"a{suffix.upper()}")), PLAIN).rows) == 1


@pytest.mark.parametrize(
    "layout_or_pattern", [{}, {"layout": "lsa64"}, {"pattern": "{gloss}_{signer}_{n}"}]
)
def test_names_that_are_not_utf_8_are_broken_entries(
    layout_or_pattern: dict[str, str], tmp_path: Path
) -> None:
    files(tmp_path, "001_002_003.mp4", "notes.txt")
    for name in (b"ni\xf1o.mp4", b"ni\xf1o.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    with pytest.raises(DataError, match=r"ni\\xf1o\.mp4.*not UTF-8.*--skip-broken"):
        read_manifest(str(tmp_path), ManifestOptions(**layout_or_pattern))
    kept = read_manifest(str(tmp_path), ManifestOptions(**layout_or_pattern, skip_broken=True))
    assert [row.clip_id for row in kept.rows] == ["001_002_003"]
    assert [one.clip_id for one in kept.skipped] == [r"ni\xf1o.mp4"]


def test_split_folders(tmp_path: Path) -> None:
    files(tmp_path, "Train/red/1.mp4", "val/red/2.mp4", "test/blue/3.mp4")
    made = read_manifest(str(tmp_path), PLAIN)
    assert {(row.split, row.gloss, row.signer) for row in made.rows} == {
        ("training", "red", None),
        ("validation", "red", None),
        ("test", "blue", None),
    }
    assert "split/gloss/clip" in made.notes[0]
    # A person may be called so where others are not.
    files(tmp_path, "ann/red/4.mp4")
    assert {row.split for row in read_manifest(str(tmp_path), PLAIN).rows} == {None}


def test_odd_names_behind_a_uri(tmp_path: Path) -> None:
    names = ["a b.mp4", "50%.mp4", "a%20b.mp4", "x#1.mp4", "q?.mp4", "señal.mp4"]
    files(tmp_path, *names)
    rows = read_manifest(f"file://{tmp_path}", PLAIN).rows
    assert sorted(row.clip_id for row in rows) == sorted(name[:-4] for name in names)
    for row in rows:
        _, path = resolve(row.path)
        assert path == f"{tmp_path}/{row.clip_id}.mp4"


def test_a_uri_keeps_its_query(tmp_path: Path) -> None:
    """The local file system knows no query and takes any."""
    files(tmp_path, "red/1.mp4", "red/12.mp4", "blue/1.mp4")
    query = "?endpoint_override=localhost:9000"
    whole = read_manifest(f"file://{tmp_path}{query}", PLAIN)
    assert by_id(whole)["red/1"].path == f"file://{tmp_path}/red/1.mp4{query}"
    matched = read_manifest(f"file://{tmp_path}/r*/?.mp4{query}", PLAIN)
    assert [row.path for row in matched.rows] == [f"file://{tmp_path}/red/1.mp4{query}"]


def test_uris_are_listed_and_kept_as_uris(tmp_path: Path) -> None:
    files(tmp_path, "red/1.mp4")
    made = read_manifest(f"file://{tmp_path}", PLAIN)
    assert [row.path for row in made.rows] == [f"file://{tmp_path}/red/1.mp4"]


def test_duplicate_ids_are_named_before_any_work(tmp_path: Path) -> None:
    files(tmp_path, "red/1.mp4", "red/1.avi")
    with pytest.raises(DataError, match=r"'red/1'.*1\.avi.*1\.mp4"):
        read_manifest(str(tmp_path), PLAIN)


def test_a_csv_manifest(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_text(
        "clip_id,path,gloss,signer,start_frame,end_frame,start_s,end_s,note\n"
        "007,long.mp4,red,05,10,20,,,x\n"
        ",s/other.mp4,,,,,0.5,2.25,\n"
        "far,s3://bucket/v.mp4,blue,ann,,,,,\n"
    )
    made = read_manifest(str(path), ManifestOptions(signer="bob"))
    rows = by_id(made)
    # Leading zeros are part of a name.
    first = rows["007"]
    assert (first.signer, first.start_frame, first.end_frame) == ("05", 10, 20)
    assert first.path == str(tmp_path / "long.mp4")
    other = rows["s/other"]
    assert (other.gloss, other.signer, other.start_s, other.end_s) == (None, "bob", 0.5, 2.25)
    assert rows["far"].path == "s3://bucket/v.mp4"
    assert made.notes == ["columns ignored: note"]
    assert first.estimated_s == pytest.approx(0.4)
    assert other.estimated_s == pytest.approx(1.75)


def test_spaces_around_headings_and_cells_are_no_part_of_them(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_text("path, gloss , end_frame\n v.mp4, hello  there ,  7\nw.mp4, ,\n")
    made = read_manifest(str(path), PLAIN)
    rows = by_id(made)
    assert made.notes == []
    assert (rows["v"].gloss, rows["v"].end_frame) == ("hello there", 7)
    assert rows["w"].gloss is None


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_manifest_behind_a_uri(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"split=a/clips.{suffix}"
    path.parent.mkdir()
    if suffix == "csv":
        path.write_text("path,gloss\nb/50% v.mp4,red\n/there.mp4,\n")
    else:
        table = {"path": ["b/50% v.mp4", "/there.mp4"], "gloss": ["red", None]}
        pq.write_table(pa.table(table), path)
    rows = by_id(read_manifest(f"file://{path}?region=x", PLAIN))
    assert rows["b/50% v"].path == f"file://{tmp_path}/split=a/b/50%25%20v.mp4?region=x"
    assert (rows["b/50% v"].gloss, rows["b/50% v"].split) == ("red", None)
    assert rows["there"].path == "/there.mp4"
    with pytest.raises(DataError, match=r"no such file.*none\.csv"):
        read_manifest(f"file://{tmp_path}/none.csv", PLAIN)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("a,,1,2", "path is empty"),
        ("a,v.mp4,x,2", "start_frame is 'x'"),
        ("a,v.mp4,1.5,2", "start_frame"),
        ("a,v.mp4,-1,2", "0 or more"),
        ("a,v.mp4,1,inf", "end_frame"),
    ],
)
def test_bad_rows_are_errors_or_skipped(line: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_text(f"clip_id,path,start_frame,end_frame\nok,w.mp4,,\n{line}\n")
    with pytest.raises(DataError, match=f"row 2.*{word}"):
        read_manifest(str(path), PLAIN)
    made = read_manifest(str(path), ManifestOptions(skip_broken=True))
    assert [row.clip_id for row in made.rows] == ["ok"]
    assert word.strip("'") in made.skipped[0].reason


def test_a_parquet_manifest(tmp_path: Path) -> None:
    path = tmp_path / "clips.parquet"
    table = pa.table({"path": ["v.mp4", "w.mp4"], "start_frame": [3, None], "gloss": ["a", None]})
    pq.write_table(table, path)
    rows = by_id(read_manifest(str(path), ManifestOptions(videos="/videos")))
    assert rows["v"].path == "/videos/v.mp4"
    assert (rows["v"].start_frame, rows["w"].start_frame, rows["w"].gloss) == (3, None, None)


def test_empty_cells_of_pandas_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "clips.parquet"
    nothing = pa.array([float("nan")])
    pq.write_table(pa.table({"path": ["v.mp4"], "gloss": nothing, "signer": nothing}), path)
    (row,) = read_manifest(str(path), PLAIN).rows
    assert (row.gloss, row.signer) == (None, None)
    signers = pa.array([7.0, float("nan")])
    pq.write_table(pa.table({"path": ["v.mp4", "w.mp4"], "signer": signers}), path)
    assert [row.signer for row in read_manifest(str(path), PLAIN).rows] == ["7", None]


@pytest.mark.parametrize(
    ("content", "word"), [(b"a,b\n1,2\n", "no column 'path'"), (b"", "cannot read")]
)
def test_unusable_tables(content: bytes, word: str, tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=word):
        read_manifest(str(path), PLAIN)
    other = tmp_path / "clips.parquet"
    other.write_bytes(content)
    with pytest.raises(DataError, match="cannot read"):
        read_manifest(str(other), PLAIN)


def test_our_own_manifest_reads_back(tmp_path: Path) -> None:
    rows = [
        Row("a", "/v.mp4", None, "s", start_s=1.5),
        Row("b", "/w.mp4", "g", "t", "training", 1, 2),
    ]
    path = tmp_path / "m.parquet"
    path.write_bytes(to_parquet(rows))
    assert from_table(pq.read_table(path)) == rows
    assert read_manifest(str(path), PLAIN).rows == rows


def instance(video_id: str, **more: Any) -> dict[str, Any]:
    known = {"signer_id": 5, "split": "train", "frame_start": 1, "frame_end": -1, "fps": 25}
    return {"video_id": video_id, "url": "http://x/y.mp4", **known, **more}


def test_wlasl(tmp_path: Path) -> None:
    youtube = "https://www.youtube.com/watch?v=abcdefghijk"
    metadata = tmp_path / "WLASL_v0.3.json"
    entries = [
        {
            "gloss": "book",
            "instances": [
                instance("69241"),
                instance("00001", url=youtube, frame_start=26, frame_end=75),
                instance("00002", url=youtube, frame_start=76),
                instance("00003"),
                instance("00004", url=youtube, split="val", signer_id=7),
            ],
        }
    ]
    metadata.write_text(json.dumps(entries))
    videos = files(tmp_path / "raw", "69241.mp4", "abcdefghijk.mp4", "00004.mp4")
    made = read_corpus("wlasl", metadata, ManifestOptions(videos=str(videos)))
    rows = by_id(made)
    assert set(rows) == {"69241", "00001", "00002", "00004"}
    assert [one.clip_id for one in made.absent] == ["00003"]
    assert (rows["69241"].gloss, rows["69241"].signer, rows["69241"].start_s) == ("book", "5", None)
    # Frames 26 to 75, counted from 1 at 25 a second, are the second and third second.
    assert (rows["00001"].start_s, rows["00001"].end_s) == (1.0, 3.0)
    assert (rows["00002"].start_s, rows["00002"].end_s) == (3.0, None)
    # A file named after the clip is cut already, whatever the range says.
    assert (rows["00004"].start_s, rows["00004"].split, rows["00004"].signer) == (
        None,
        "validation",
        "7",
    )


def test_wlasl_that_is_none(tmp_path: Path) -> None:
    videos = files(tmp_path / "raw", "abcdefghijk.mp4")
    metadata = tmp_path / "m.json"
    options = ManifestOptions(videos=str(videos))
    for content in ("{", "{}", '[{"gloss": "a"}]'):
        metadata.write_text(content)
        with pytest.raises(DataError, match=r"m\.json"):
            read_corpus("wlasl", metadata, options)
    bad = instance("1", url="https://youtu.be/abcdefghijk", frame_start=0)
    metadata.write_text(json.dumps([{"gloss": "a", "instances": [bad]}]))
    with pytest.raises(DataError, match="frames 0 to -1"):
        read_corpus("wlasl", metadata, options)


def test_asl_citizen(tmp_path: Path) -> None:
    splits = tmp_path / "splits"
    splits.mkdir()
    heading = "Participant ID,Video file,Gloss,ASL-LEX Code\n"
    (splits / "train.csv").write_text(heading + "P1,15-APPLE.mp4,APPLE,A_01\n")
    (splits / "test.csv").write_text(heading + "P2,16-APPLE.mp4,APPLE,A_01\nP2,17.mp4,PEAR,\n")
    videos = files(tmp_path / "videos", "15-APPLE.mp4", "16-APPLE.mp4")
    made = read_corpus("asl_citizen", splits, ManifestOptions(videos=str(videos)))
    rows = by_id(made)
    assert {key: (row.signer, row.split, row.gloss) for key, row in rows.items()} == {
        "15-APPLE": ("P1", "training", "APPLE"),
        "16-APPLE": ("P2", "test", "APPLE"),
    }
    assert [one.clip_id for one in made.absent] == ["17"]


def test_gsl(tmp_path: Path) -> None:
    (tmp_path / "dev_greek_iso.csv").write_text(
        "police1_signer3_rep1_glosses/glosses0000|ΓΕΙΑ\nkep1_signer1_rep2_glosses/glosses0000|ΝΑΙ\n"
    )
    # Beside them in the published folder, and no clips.
    for name in ("iso_classes.csv", "iso_corrected.csv", "merged_isolated.csv"):
        (tmp_path / name).write_text("a|b|c\n")
    (tmp_path / "annotated_iso_classes.csv").write_text("ΓΕΙΑ,1\n")
    videos = files(tmp_path / "v", "GSL_isol/police1_signer3_rep1_glosses/glosses0000.mp4")
    made = read_corpus("gsl", tmp_path, ManifestOptions(videos=str(videos)))
    (row,) = made.rows
    assert (row.gloss, row.signer, row.split) == ("ΓΕΙΑ", "signer3", "validation")
    assert len(made.absent) == 1


def test_lsfb_isol(tmp_path: Path) -> None:
    (tmp_path / "instances.csv").write_text(
        "id,sign,signer,start,end\nC1,AVOIR,S001,2300,2800\nC2,ALLER,S002,0,400\n"
    )
    files(tmp_path, "metadata/splits/train.json")
    (tmp_path / "metadata/splits/train.json").write_text('["C1"]')
    videos = files(tmp_path / "videos", "C1.mp4", "C2.mp4")
    rows = by_id(read_corpus("lsfb_isol", tmp_path, ManifestOptions(videos=str(videos))))
    assert (rows["C1"].gloss, rows["C1"].split, rows["C1"].start_s) == ("AVOIR", "training", None)
    assert rows["C2"].split is None


@pytest.mark.parametrize("name", [name for name in CORPORA if name not in ("wlasl", "lsa64")])
def test_other_tables_are_refused(name: str, tmp_path: Path) -> None:
    metadata = tmp_path / "test_iso.csv"
    metadata.write_text("colour,shape\nred,round\n")
    videos = files(tmp_path / "videos", "a.mp4")
    with pytest.raises(DataError):
        read_corpus(name, metadata, ManifestOptions(videos=str(videos)))


def test_a_corpus_needs_its_parts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are wlasl"):
        read_corpus("wlas", None, PLAIN)
    with pytest.raises(ConfigError, match="--videos"):
        read_corpus("wlasl", None, PLAIN)
    with pytest.raises(ConfigError, match="--metadata"):
        read_corpus("wlasl", None, ManifestOptions(videos=str(tmp_path)))
    with pytest.raises(DataError, match="no such file"):
        read_corpus("wlasl", tmp_path / "none.json", ManifestOptions(videos=str(tmp_path)))
