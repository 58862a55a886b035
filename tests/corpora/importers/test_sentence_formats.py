"""One contract for every format of sentences: glosses, signers, splits and joints in place."""

from __future__ import annotations

import csv
import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from importer_factory import WRITERS as SIGN_WRITERS
from importer_factory import assert_person, opened, read
from sentence_sources import WRITERS, Written, write_mska, write_twostream
from typer.testing import CliRunner

from slr_ray.corpora.corpus import open_shards
from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.source import read_clips
from slr_ray.corpora.split_file import FileSplitConfig, by_file
from slr_ray.data import app
from slr_ray.errors import DataError
from slr_ray.poses.shards import ShardReader, Skipped


def arguments(name: str, written: Written, out: Path) -> list[str]:
    size = written.options.get("picture_size")
    poses = written.options.get("poses")
    return [
        *("import", str(written.path), str(out), "--format", name),
        *(("--poses", poses) if poses else ()),
        *(("--picture-size", "{}x{}".format(*size)) if size else ()),
    ]


def test_every_importer_is_under_one_of_the_contracts() -> None:
    assert set(IMPORTERS) == set(WRITERS) | set(SIGN_WRITERS)


@pytest.mark.parametrize("name", WRITERS)
def test_sentences_have_their_glosses_signers_and_joints(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    clips = sorted(read(name, written.path, **written.options), key=lambda one: one.clip_id)
    expected = sorted(zip(written.names, written.signers, written.texts, strict=True))
    assert [
        (one.clip_id, one.signer, one.sentence and one.sentence.text) for one in clips
    ] == expected
    by_id = {one.clip_id: one for one in clips}
    glosses = [by_id[one].sentence.glosses for one in written.names]  # type: ignore[union-attr]
    assert glosses == [("CAT", "DOG"), ("DOG",)]
    for clip in clips:
        assert clip.gloss is None
        assert_person(clip)


@pytest.mark.parametrize("name", WRITERS)
def test_the_corpus_s_own_split_is_written_beside_the_shard(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    out = tmp_path / "out" / "clips.parquet"
    result = CliRunner().invoke(app, arguments(name, written, out))
    assert result.exit_code == 0, result.output
    assert re.search(r"\W sentences\W+2 ", result.output)
    split = out.with_suffix(".split.csv")
    with split.open() as stream:
        rows = {row["clip_id"]: row["split"] for row in csv.DictReader(stream)}
    assert {one: rows[one][:5] for one in written.names} == {
        written.names[0]: "train",
        written.names[1]: "test",
    }
    with pytest.raises(DataError, match="puts no clip into validation"):
        by_file(open_shards(str(out)), FileSplitConfig(path=split).path)
    (provenance,) = ShardReader(str(out)).provenance()
    assert provenance["source_format"] == name
    assert {"extractor", "version", "settings"} <= set(provenance)


@pytest.mark.parametrize("name", WRITERS)
def test_a_broken_sentence_is_named_or_skipped(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    written.break_first()
    with pytest.raises(DataError, match="--skip-broken"):
        read(name, written.path, **written.options)
    skipped: list[Skipped] = []
    source = opened(name, written.path, **written.options)
    (clip,) = read_clips(source, skip_broken=True, skipped=skipped)
    assert clip.clip_id == written.names[1]
    assert [(one.clip_id, bool(one.reason)) for one in skipped] == [(written.names[0], True)]


@pytest.mark.parametrize("name", WRITERS)
def test_a_source_that_is_not_there(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        opened(name, tmp_path / "nowhere", **written.options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        opened(name, tmp_path / "empty", **written.options)


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("phoenix14t", [], "pass --poses SHARDS"),
        ("mska", ["--poses", "x"], "--poses is for phoenix14,"),
        ("isharah", ["--glosses", "x"], "--glosses is for spoter_csv"),
        ("csl_daily", ["--poses", "x", "--picture-size", "2x2"], "--picture-size is for"),
    ],
)
def test_bad_calls_end_with_one_message(
    tmp_path: Path, name: str, more: list[str], message: str
) -> None:
    call = ["import", str(tmp_path), str(tmp_path / "out"), "--format", name, *more]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("name", ["isharah", "mska", "csl_daily"])
def test_a_pickle_that_would_run_code_ends_the_command(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    mark, out = tmp_path / "mark", tmp_path / "out.parquet"
    for file in (one for one in written.path.rglob("*") if one.suffix in (".pkl", ".train")):
        file.write_bytes(pickle.dumps({"info": [Hostile(mark)]}))
    result = CliRunner().invoke(app, [*arguments(name, written, out), "--skip-broken"])
    assert result.exit_code == 2
    assert "can be code: it is not read" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not mark.exists()
    assert not out.exists()


def test_twostream_s_two_kinds_of_files_are_joined(tmp_path: Path) -> None:
    path, names = write_twostream(tmp_path)
    clips = read("mska", path, picture_size=(210, 260), fps=25.0)
    assert [one.clip_id for one in clips] == [names[1], names[0]]
    for clip in clips:
        assert_person(clip)
        assert clip.fps == 25


def test_pixels_need_the_size_of_the_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--picture-size WIDTHxHEIGHT"):
        read("mska", write_mska(tmp_path).path)
