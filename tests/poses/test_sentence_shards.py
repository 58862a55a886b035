"""Sentences in pose shards and corpora: glosses, times and text come back as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clip_factory import assert_same, make_clip, make_sentence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slr_ray.corpora.corpus import open_cached, open_shards
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shard_schema import SCHEMA, SENTENCE_COLUMNS, SENTENCE_SCHEMA
from slr_ray.poses.shard_writing import shard_bytes, write_shard
from slr_ray.poses.shards import ShardReader

PROVENANCE = {"extractor": "test"}
TIMED = make_sentence("timed", ["i", "book"], times=[(0, 4), (6, 12)], text="I have a book.")


def rows_of(*clips: Clip, **changes: Any) -> list[dict[str, Any]]:
    """The rows of clips, each with these changes."""
    table = pq.read_table(pa.BufferReader(shard_bytes([*clips, TIMED], PROVENANCE)))
    return [row | changes for row in table.to_pylist()[:-1]]


def write_rows(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SENTENCE_SCHEMA) -> str:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return str(path)


@st.composite
def sentences(draw: st.DrawFn) -> dict[str, Any]:
    words = st.sampled_from(["i", "book", "read", "livre à lire"])
    glosses = draw(st.none() | st.lists(words, min_size=1, max_size=4))
    times = None
    if glosses is not None and draw(st.booleans()):
        ends = 2 * len(glosses)
        places = draw(st.lists(st.integers(0, 12), min_size=ends, max_size=ends, unique=True))
        bounds = sorted(places)
        times = list(zip(bounds[::2], bounds[1::2], strict=True))
    text = draw(st.none() | st.just("I read."))
    # Of a clip without glosses nobody keeps the text.
    return {"glosses": glosses, "times": times, "text": None if glosses is None else text}


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(sentences(), max_size=4))
def test_writing_and_reading_is_identity(tmp_path: Path, drawn: list[dict[str, Any]]) -> None:
    path = tmp_path / "shard.parquet"
    written = [
        TIMED,
        *(make_sentence(str(number), **known) for number, known in enumerate(drawn)),
    ]
    write_shard(path, written, PROVENANCE)
    for found, expected in zip(ShardReader(str(path)), written, strict=True):
        assert_same(found, expected)
    corpus = open_shards(str(path))
    assert corpus.has_sentences
    for index, expected in enumerate(written):
        assert_same(corpus.clip(index), expected)
        assert corpus.is_labelled[index] == (expected.sentence is not None)


def test_a_corpus_tells_what_is_signed_and_when(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    clips = [make_sentence("bare", ["read", "book", "read"]), make_sentence("none", None), TIMED]
    write_shard(path, clips, PROVENANCE)
    corpus = open_shards(str(path))
    assert corpus.glosses == ("book", "i", "read")
    assert [corpus.sequence(index).tolist() for index in range(3)] == [[2, 0, 2], [], [1, 0]]
    assert [corpus.sequence_times(index) is None for index in range(3)] == [True, True, False]
    np.testing.assert_array_equal(corpus.sequence_times(2), [[0, 4], [6, 12]])
    assert corpus.sentence(2) == TIMED.sentence
    assert corpus.is_labelled.tolist() == [True, False, True]
    assert corpus.gloss_index.tolist() == [-1, -1, -1]
    assert corpus.signed.tolist() == [[0, 2], [0, 0], [0, 2], [2, 1], [2, 0]]
    assert corpus.glosses_in(np.array([1, 2])).tolist() == [0, 1]


def test_isolated_signs_have_no_sentences(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    write_shard(path, [make_clip("a"), make_clip("b", gloss=None)], PROVENANCE)
    assert pq.read_schema(path).names == SCHEMA.names
    corpus = open_shards(str(path))
    assert not corpus.has_sentences
    assert corpus.is_labelled.tolist() == [True, False]
    assert corpus.signed.tolist() == [[0, 0]]
    assert (corpus.sequence(0).tolist(), corpus.sequence_times(0)) == ([], None)
    assert corpus.sentence(0) is None


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_sentence_may_come_after_many_clips_without_a_label(
    tmp_path: Path, in_memory: bool
) -> None:
    path = tmp_path / "shard.parquet"
    clips = [make_sentence(f"{number:03d}", None, 1) for number in range(600)]
    if in_memory:
        path.write_bytes(shard_bytes([*clips, TIMED], PROVENANCE))
    else:
        write_shard(path, [*clips, TIMED], PROVENANCE)
    assert [one.name for one in tmp_path.iterdir()] == ["shard.parquet"]
    read = list(ShardReader(str(path)))
    assert [clip.clip_id for clip in read[:-1]] == [clip.clip_id for clip in clips]
    assert_same(read[-1], TIMED)
    assert ShardReader(str(path)).provenance() == [PROVENANCE]


BROKEN = {
    "empty sentence": ({"glosses": []}, "empty sentence"),
    "empty gloss": ({"glosses": ["i", " "]}, "gloss 1 of its sentence is empty"),
    "null gloss": ({"glosses": [None, "i"]}, "gloss 0 of its sentence is empty"),
    "too many": ({"glosses": ["i"] * 13, **dict.fromkeys(("gloss_starts", "gloss_ends"))}, "13 gl"),
    "few times": ({"gloss_starts": [1], "gloss_ends": [2]}, "but times of 1"),
    "more starts": ({"gloss_starts": [1, 2, 3]}, "do not match"),
    "null time": ({"gloss_starts": [None, 6]}, "do not match"),
    "starts alone": ({"gloss_ends": None}, "must be given together"),
    "times alone": ({"glosses": None}, "must be given together"),
    "reversed": ({"gloss_ends": [0, 12]}, "'i' at frames 0 to 0 ends before it starts"),
    "overlapping": ({"gloss_ends": [7, 12]}, "'book' at frames 6 to 12 starts before frame 7"),
    "before the clip": ({"gloss_starts": [-1, 6]}, "'i' at frames -1 to 4 starts before frame 0"),
    "after the clip": ({"gloss_ends": [4, 13]}, "ends after the clip's 12 frames"),
    "both": ({"gloss": "book"}, "both a gloss, 'book', and a sentence"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sentence_is_named_or_skipped(tmp_path: Path, name: str) -> None:
    changes, reason = BROKEN[name]
    timed = make_sentence("bad", ["i", "book"], times=[(0, 4), (6, 12)])
    rows = [*rows_of(make_sentence("first")), *rows_of(timed, **changes)]
    location = write_rows(tmp_path / "shard.parquet", rows)
    with pytest.raises(DataError, match=reason) as raised:
        open_shards(location)
    assert "clip 'bad'" in str(raised.value)
    corpus = open_shards(location, skip_broken=True)
    assert corpus.clip_ids.to_pylist() == ["first"]
    assert reason in corpus.skipped[0].reason


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"glosses": "ab"}, r"'bad': the glosses of its sentence are 'ab', expected a tuple"),
        ({"glosses": ("a", 3)}, r"are \('a', 3\), expected a tuple"),
        ({"glosses": None}, "are None, expected a tuple"),
        ({"text": 3}, "the text of its sentence is 3, expected text"),
        ({"times": ((0.9, 3.9),)}, r"'bad': the times of its sentence are \(\(0.9, 3.9"),
        ({"times": (0, 3)}, r"are \(0, 3\), expected pairs of whole numbers"),
        ({"times": ((0, 3, 5),)}, "expected pairs of whole numbers"),
        ({"times": 3}, "are 3, expected pairs of whole numbers"),
    ],
)
def test_a_sentence_of_wrong_types_is_not_written(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    sentence = replace(Sentence(("a",)), **changes)
    with pytest.raises(DataError, match=reason):
        write_shard(
            tmp_path / "shard.parquet", [make_clip("bad", gloss=None, sentence=sentence)], {}
        )


@pytest.mark.usefixtures("_unchecked")
def test_whole_numbers_of_numpy_are_times(tmp_path: Path) -> None:
    times = tuple((start, start + 2) for start in np.arange(0, 6, 3))
    clip = make_sentence("a", ["i", "book"], times=times)
    write_shard(tmp_path / "shard.parquet", [clip], PROVENANCE)
    assert open_shards(str(tmp_path)).sentence(0) == clip.sentence


@pytest.mark.parametrize("first", ["sign", "sentence"])
def test_signs_and_sentences_make_no_corpus(tmp_path: Path, first: str) -> None:
    clips = [make_clip("sign"), make_sentence("sentence")]
    for clip in clips:
        name = "1" if clip.clip_id == first else "2"
        write_shard(tmp_path / f"{name}.parquet", [clip], PROVENANCE)
    with pytest.raises(DataError, match=r"'sign' is one sign, 'hello', and clip 'sentence' a sent"):
        open_shards(str(tmp_path))


def test_columns_as_other_tools_write_them_are_read(tmp_path: Path) -> None:
    others = {
        "glosses": pa.large_list(pa.large_string()),
        "gloss_starts": pa.list_(pa.int64()),
        "gloss_ends": pa.large_list(pa.int16()),
        "text": pa.null(),
    }
    kept = [one for one in SCHEMA if one.name != "gloss"]
    schema = pa.schema([*kept, *others.items()])
    row = {name: value for name, value in rows_of(TIMED)[0].items() if name != "gloss"}
    row |= {"text": None, "glosses": [" i", "book "]}
    location = write_rows(tmp_path / "shard.parquet", [row], schema)
    expected = make_sentence("timed", ["i", "book"], times=[(0, 4), (6, 12)])
    assert_same(open_shards(location).clip(0), expected)


@pytest.mark.parametrize("column", [one.name for one in SENTENCE_COLUMNS])
def test_a_column_of_another_type_is_named(tmp_path: Path, column: str) -> None:
    kept = [one for one in SENTENCE_SCHEMA if one.name != column]
    schema = pa.schema([*kept, pa.field(column, pa.float32())])
    rows = rows_of(make_sentence("a"), **{column: None})
    location = write_rows(tmp_path / "shard.parquet", rows, schema)
    with pytest.raises(DataError, match=f"{column} is float, expected"):
        open_shards(location)


def test_the_fingerprint_follows_glosses_and_times_only() -> None:
    def fingerprint(**known: Any) -> str:
        clip = make_sentence("a", **known)
        return open_cached(f"key{known}", "corpus", lambda: [clip], provenance=list).fingerprint

    plain = fingerprint()
    times = [(0, 1), (1, 2), (2, 3)]
    assert fingerprint(text="I read a book.") == plain
    others = [fingerprint(glosses=["i", "read"]), fingerprint(times=times)]
    others.append(fingerprint(times=[(0, 1), (1, 2), (2, 4)]))
    assert len({plain, *others}) == 4


def test_what_was_known_of_isolated_corpora_still_holds() -> None:
    """Stages and runs of before name this fingerprint."""
    clip = make_clip("a", 1, positions=np.full((1, 54, 2), 0.5, np.float32))
    corpus = open_cached("isolated", "corpus", lambda: [clip], provenance=list)
    assert corpus.fingerprint == (
        "6e9b17bc6552e4ef5af07554ac8ddae334d92e9d1d8c4e1ba3511964609998d6"
    )


def test_a_sentence_in_memory_is_what_was_given() -> None:
    corpus = open_cached("memory", "corpus", lambda: [TIMED], provenance=list)
    assert corpus.sentence(0) == Sentence(
        ("i", "book"), times=((0, 4), (6, 12)), text="I have a book."
    )
