"""Pose shards and the memory-mapped corpus: nothing is lost, nothing broken gets through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clip_factory import assert_same, make_clip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slr_ray.corpora.arrays import FORMAT
from slr_ray.corpora.corpus import open_cached, open_shards
from slr_ray.errors import DataError, StorageError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shard_schema import SCHEMA
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.shards import ShardReader
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.storage import cache_root
from slr_ray.text import normal_name

PROVENANCE = {"extractor": "test", "version": "1", "settings": {"threshold": 0.5}}


def make_row(clip_id: str | None = "a", **changes: Any) -> dict[str, Any]:
    clip = make_clip()
    row = {
        "clip_id": clip_id,
        "gloss": clip.gloss,
        "signer": clip.signer,
        "fps": clip.fps,
        "num_frames": clip.num_frames,
        "positions": clip.positions.reshape(-1),
        "confidence": clip.confidence.reshape(-1),
    }
    return row | changes


def write_rows(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> str:
    """Rows as they are, past every check of `write_shard`."""
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return str(path)


def test_one_gloss_in_two_spellings_of_unicode_is_one(tmp_path: Path) -> None:
    """macOS writes file names, and tools glosses after them, with accents apart."""
    spellings = ("\u00dcber", "U\u0308ber", " \u00dcber\u200b")
    rows = [make_row(str(row), gloss=one) for row, one in enumerate(spellings)]
    assert open_shards(write_rows(tmp_path / "a.parquet", rows)).glosses == ("\u00dcber",)


@st.composite
def clips(draw: st.DrawFn) -> list[Clip]:
    names = draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
    found = []
    for name in names:
        frames = draw(st.integers(1, 3))
        finite = st.floats(-2, 2, width=32)
        positions = draw(arrays(np.float32, (frames, NUM_JOINTS, 2), elements=finite))
        confidence = draw(
            arrays(np.float32, (frames, NUM_JOINTS), elements=st.floats(0, 1, width=32))
        )
        confidence[0, 0] = 1
        positions[confidence == 0] = 0
        # As names are read, an empty one for none.
        word = st.text(max_size=4).map(normal_name).filter(bool)
        gloss = draw(st.none() | word)
        signer = draw(st.none() | word)
        fps = draw(st.none() | st.sampled_from([24.0, 29.5]))
        found.append(Clip(name, gloss, signer, fps, positions, confidence))
    return found


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(clips())
def test_writing_and_reading_is_identity(tmp_path: Path, written: list[Clip]) -> None:
    path = tmp_path / "shard.parquet"
    assert write_shard(path, written, PROVENANCE) == len(written)
    reader = ShardReader(str(path))
    for found, expected in zip(reader, written, strict=True):
        assert_same(found, expected)
    assert reader.provenance() == [PROVENANCE]
    assert reader.num_rows() == len(written)

    corpus = open_shards(str(path))
    assert corpus.num_clips == len(written)
    for index, expected in enumerate(written):
        assert_same(corpus.clip(index), expected)


def test_a_shard_longer_than_a_row_group_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    names = [f"{number:03d}" for number in range(600)]
    write_shard(path, (make_clip(name, 1) for name in names), PROVENANCE)
    assert [clip.clip_id for clip in ShardReader(str(path))] == names


BROKEN_ROWS = {
    "NaN position": (make_row("bad", positions=np.full(3 * 54 * 2, np.nan, np.float32)), "NaN"),
    "NaN confidence": (make_row("bad", confidence=np.full(3 * 54, np.nan, np.float32)), "NaN"),
    "infinite": (make_row("bad", positions=np.full(3 * 54 * 2, np.inf, np.float32)), "infinite"),
    "negative": (make_row("bad", confidence=np.full(3 * 54, -1, np.float32)), "negative"),
    "no joint": (make_row("bad", confidence=np.zeros(3 * 54, np.float32)), "no joint"),
    "short positions": (make_row("bad", positions=np.zeros(7, np.float32)), "7 position values"),
    "short confidence": (make_row("bad", confidence=np.ones(7, np.float32)), "7 confidence values"),
    "wrong frames": (make_row("bad", num_frames=4), "do not make 4 frames"),
    "no frames": (make_row("bad", num_frames=0, positions=[], confidence=[]), "empty"),
    "null frames": (make_row("bad", num_frames=None), "do not make None frames"),
    "null positions": (make_row("bad", positions=None), "no positions"),
    "null confidence": (make_row("bad", confidence=None), "no confidence"),
    "null id": (make_row(None), "must not be null"),
    "pixels": (make_row("bad", positions=[640.0] * 324), "divide pixels by its width and height"),
    "negative rate": (make_row("bad", fps=-5.0), "fps is -5.0, expected frames a second"),
    "infinite rate": (make_row("bad", fps=np.inf), "fps is inf, expected frames a second"),
    "duplicate": (make_row("first"), "appears twice"),
}


@pytest.mark.parametrize("name", BROKEN_ROWS)
def test_a_broken_row_is_named_or_skipped(tmp_path: Path, name: str) -> None:
    row, reason = BROKEN_ROWS[name]
    rows = [make_row("first"), row, make_row("last")]
    location = write_rows(tmp_path / "shard.parquet", rows)
    with pytest.raises(DataError, match=reason) as raised:
        open_shards(location)
    assert location in str(raised.value)
    assert "--skip-broken" in str(raised.value)

    corpus = open_shards(location, skip_broken=True)
    assert corpus.clip_ids.to_pylist() == ["first", "last"]
    (skipped,) = corpus.skipped
    assert skipped.source == location
    assert reason in skipped.reason


def test_skipped_clips_are_still_listed_when_the_corpus_comes_from_the_cache(
    tmp_path: Path,
) -> None:
    rows = [make_row("a"), make_row("a")]
    location = write_rows(tmp_path / "shard.parquet", rows)
    first, second = (open_shards(location, skip_broken=True) for _ in range(2))
    assert first.skipped == second.skipped
    assert len(second.skipped) == 1


def test_only_broken_rows_make_no_corpus(tmp_path: Path) -> None:
    location = write_rows(tmp_path / "shard.parquet", [make_row("a", positions=None)])
    with pytest.raises(DataError, match="all 1 were skipped, the first because"):
        open_shards(location, skip_broken=True)


def test_a_shard_without_rows_is_no_corpus(tmp_path: Path) -> None:
    location = write_rows(tmp_path / "shard.parquet", [])
    with pytest.raises(DataError, match="no rows"):
        open_shards(location)


def test_duplicate_ids_across_files_are_found(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_shard(tmp_path / f"{name}.parquet", [make_clip("same")], PROVENANCE)
    with pytest.raises(DataError, match="'same' appears twice"):
        open_shards(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"gloss,signer\nhello,ann\n", "not a Parquet file"),
        (b"PAR1" + bytes(64) + b"PAR1", "not a Parquet file"),
    ],
)
def test_a_file_that_is_not_parquet(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "shard.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        open_shards(str(path))


def test_a_damaged_page_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    write_shard(path, [make_clip(num_frames=40)], PROVENANCE)
    content = bytearray(path.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        list(ShardReader(str(path), skip_broken=True))


def test_missing_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        open_shards(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"holds no \.parquet file"):
        open_shards(str(tmp_path))


@pytest.mark.parametrize("column", [one for one in SCHEMA.names if one != "signer"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    table = pa.Table.from_pylist([make_row()], schema=SCHEMA).drop_columns([column])
    path = tmp_path / "shard.parquet"
    pq.write_table(table, path)
    with pytest.raises(DataError, match=f"column {column} missing"):
        open_shards(str(path))


def test_a_column_of_another_type_is_named(tmp_path: Path) -> None:
    schema = SCHEMA.set(0, pa.field("clip_id", pa.int64()))
    location = write_rows(tmp_path / "shard.parquet", [make_row() | {"clip_id": 3}], schema)
    with pytest.raises(DataError, match="clip_id is int64, expected string"):
        open_shards(location)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"joints": json.dumps(["nose"])}, "not SPOTER's 54"),
        ({"joints": "nose, neck"}, "'joints' is not JSON"),
        ({"provenance": "{"}, "'provenance' is not JSON"),
    ],
)
def test_foreign_metadata_is_refused(tmp_path: Path, metadata: dict[str, str], reason: str) -> None:
    schema = SCHEMA.with_metadata(metadata)
    location = write_rows(tmp_path / "shard.parquet", [make_row()], schema)
    with pytest.raises(DataError, match=reason):
        open_shards(location)


def test_columns_as_other_tools_write_them_are_read(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            ("clip_id", pa.large_string()),
            ("gloss", pa.null()),
            ("signer", pa.dictionary(pa.int32(), pa.string())),
            ("fps", pa.float64()),
            ("num_frames", pa.int64()),
            ("positions", pa.large_list(pa.float64())),
            ("confidence", pa.list_(pa.float16())),
        ]
    )
    row = make_row(gloss=None, confidence=[np.float16(1)] * (3 * NUM_JOINTS))
    location = write_rows(tmp_path / "shard.parquet", [row], schema)
    assert_same(open_shards(location).clip(0), make_clip(gloss=None))


def test_spaces_around_texts_go_and_an_empty_gloss_is_none(tmp_path: Path) -> None:
    rows = [
        make_row("a", gloss="hello "),
        make_row("b", gloss=" hello", signer="ann "),
        make_row("c", gloss=" "),
    ]
    corpus = open_shards(write_rows(tmp_path / "shard.parquet", rows))
    assert [corpus.clip(index).gloss for index in range(3)] == ["hello", "hello", None]
    assert corpus.clip(1).signer == "ann"


UNWRITABLE: dict[str, tuple[Any, str]] = {
    "no frames": (make_clip("bad", 0), "clip 'bad' is empty"),
    "NaN": (make_clip("bad", positions=np.full((3, 54, 2), np.nan, np.float32)), "'bad' has NaN"),
    "both": (make_clip("bad", sentence=Sentence(("a",))), "'bad' has both a gloss, 'hello'"),
    "rate": (make_clip("bad", fps=0.0), "'bad': fps is 0.0"),
}
MISTYPED: dict[str, tuple[Callable[[Clip], Any], str]] = {
    "id": (lambda clip: [replace(clip, clip_id=5)], "clip 5: clip_id is 5, expected text"),
    "no id": (lambda clip: [replace(clip, clip_id=None)], "clip_id is None, expected text"),
    "gloss": (lambda clip: [replace(clip, gloss=3)], "clip 'good': gloss is 3, expected text"),
    "signer": (lambda clip: [replace(clip, signer=1.5)], "clip 'good': signer is 1.5, expected"),
    "joints": (lambda clip: [replace(clip, positions=clip.positions[:, 1:])], "positions have s"),
    "paths": (lambda clip: [clip, "a.mp4"], "a str is no clip: give clips of slr_ray.Clip"),
    "none": (lambda _: None, "a NoneType is no clip"),
}


@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_no_corpus_would_read_is_not_written(tmp_path: Path, name: str) -> None:
    clip, reason = UNWRITABLE[name]
    with pytest.raises(DataError, match=reason):
        write_shard(tmp_path / "shard.parquet", [make_clip("good"), clip], PROVENANCE)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize("name", MISTYPED)
def test_a_wrong_type_is_named_with_its_clip(tmp_path: Path, name: str) -> None:
    make, reason = MISTYPED[name]
    with pytest.raises(DataError, match=reason):
        write_shard(tmp_path / "shard.parquet", make(make_clip("good")), PROVENANCE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("index", [-1, 2, 10])
def test_an_index_without_a_clip_is_named(tmp_path: Path, index: int) -> None:
    corpus = open_shards(write_rows(tmp_path / "shard.parquet", [make_row("a"), make_row("b")]))
    with pytest.raises(IndexError, match=f"clip {index}: this corpus has the clips 0 to 1"):
        corpus.clip(index)


@pytest.mark.parametrize("fps", [None, 0.0, np.nan])
def test_a_frame_rate_may_be_unknown(tmp_path: Path, fps: float | None) -> None:
    location = write_rows(tmp_path / "shard.parquet", [make_row(fps=fps)])
    assert [one.fps for one in ShardReader(location)] == [None]
    assert open_shards(location).clip(0).fps is None


def test_a_killed_write_leaves_no_shard_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    write_shard(path, [make_clip("old")], PROVENANCE)

    def killed() -> Iterator[Clip]:
        yield make_clip("new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(path, killed(), PROVENANCE)
    assert [one.name for one in tmp_path.iterdir()] == ["shard.parquet"]
    assert [clip.clip_id for clip in ShardReader(str(path))] == ["old"]


def test_half_a_shard_left_by_a_killed_process_is_not_read(tmp_path: Path) -> None:
    write_shard(tmp_path / "shard.parquet", [make_clip()], PROVENANCE)
    (tmp_path / ".writing-other.parquet").write_bytes(b"PAR1")
    assert open_shards(str(tmp_path)).num_clips == 1


def test_a_killed_build_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path))

    def killed() -> Iterator[Clip]:
        yield make_clip("new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_cached("key", "corpus", killed, provenance=list)
    assert [one.name for one in (tmp_path / "corpora").iterdir()] in ([], [f"key-{FORMAT}.lock"])

    # What SIGKILL leaves: no handler has run.
    left = cache_root() / "corpora" / f".writing-key-{FORMAT}"
    left.mkdir()
    (left / "frames.bin").write_bytes(b"half")
    corpus = open_cached("key", "corpus", lambda: [make_clip()], provenance=list)
    assert_same(corpus.clip(0), make_clip())
    assert not left.exists()


def test_a_built_corpus_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path))
    open_cached("key", "corpus", lambda: [make_clip()], provenance=list)

    def never() -> Iterator[Clip]:
        raise AssertionError("built twice")

    assert open_cached("key", "corpus", never, provenance=list).num_clips == 1


def test_glosses_and_signers_are_numbered_in_sorted_order(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    written = [
        make_clip("1", gloss="yes", signer="zoe"),
        make_clip("2", gloss=None, signer="ann"),
        make_clip("3", gloss="no", signer="zoe", num_frames=5, fps=None),
    ]
    write_shard(path, written, PROVENANCE)
    corpus = open_shards(str(path))
    assert corpus.glosses == ("no", "yes")
    assert corpus.signers == ("ann", "zoe")
    assert corpus.gloss_index.tolist() == [1, -1, 0]
    assert corpus.signer_index.tolist() == [1, 0, 1]
    assert corpus.num_frames.tolist() == [3, 3, 5]
    assert np.isnan(corpus.fps).tolist() == [False, False, True]


def test_the_fingerprint_follows_the_content_only(tmp_path: Path) -> None:
    def fingerprint(name: str, *clips: Clip) -> str:
        write_shard(tmp_path / name, clips, PROVENANCE)
        return open_shards(str(tmp_path / name)).fingerprint

    first = fingerprint("a.parquet", make_clip("a"), make_clip("b", seed=1))
    assert fingerprint("elsewhere.parquet", make_clip("a"), make_clip("b", seed=1)) == first
    others = [
        fingerprint("b.parquet", make_clip("a"), make_clip("b", seed=2)),
        fingerprint("c.parquet", make_clip("a", gloss="no"), make_clip("b", seed=1)),
        fingerprint("d.parquet", make_clip("a", signer="bob"), make_clip("b", seed=1)),
        fingerprint("e.parquet", make_clip("b", seed=1), make_clip("a")),
        fingerprint("f.parquet", make_clip("a")),
    ]
    assert len({first, *others}) == 6


def test_the_place_of_a_shard_may_be_text_and_no_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_shard("out/shard.parquet", [make_clip()], PROVENANCE) == 1
    assert open_shards("out/shard.parquet").num_clips == 1
    with pytest.raises(StorageError, match="written to a local path only"):
        write_shard("s3://bucket/shard.parquet", [make_clip()], PROVENANCE)


def test_a_replaced_shard_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    write_shard(path, [make_clip("old")], PROVENANCE)
    assert open_shards(str(path)).clip(0).clip_id == "old"
    write_shard(path, [make_clip("newer"), make_clip("more")], PROVENANCE)
    assert open_shards(str(path)).clip_ids.to_pylist() == ["newer", "more"]


def test_an_unusable_cache_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SLR_RAY_CACHE", str(blocked))
    write_shard(tmp_path / "shard.parquet", [make_clip()], PROVENANCE)
    with pytest.raises(DataError, match="set SLR_RAY_CACHE"):
        open_shards(str(tmp_path / "shard.parquet"))


def test_a_sound_clip_passes_the_check() -> None:
    check_clip(make_clip())


def test_a_corpus_is_named_after_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    write_shard(folder / "part.parquet", [make_clip()], PROVENANCE)
    monkeypatch.chdir(folder)
    names = [open_shards(one).name for one in (".", "part.parquet", f"{folder}/")]
    assert names == ["mine", "part", "mine"]
