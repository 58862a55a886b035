"""Sentences that an importer reads: names in their normal form, counted, refused where broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clip_factory import make_clip, make_sentence

from slr_ray.corpora.corpus import open_shards
from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.conversion import convert
from slr_ray.corpora.importers.source import Item, Source, read_clips
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip


def source_of(*clips: Clip) -> Source:
    items = [Item(clip.clip_id, clip.clip_id, lambda clip=clip: clip) for clip in clips]
    return Source(len(items), {"extractor": "test"}, items)


def test_glosses_have_their_normal_form() -> None:
    source = source_of(make_sentence("a", ["A\u0308PFEL", " zwei  Wo\u0308rter"], text=" Äpfel. "))
    (clip,) = read_clips(source, skip_broken=False, skipped=[])
    assert clip.sentence is not None
    assert clip.sentence.glosses == ("ÄPFEL", "zwei Wörter")
    assert clip.sentence.text == " Äpfel. "


def test_a_broken_sentence_is_named() -> None:
    with pytest.raises(DataError, match="gloss 1 of its sentence is empty"):
        list(read_clips(source_of(make_sentence("a", ["x", " "])), skip_broken=False, skipped=[]))


def test_an_import_counts_sentences_and_their_glosses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [make_sentence("a", ["x", "y"]), make_sentence("b", ["y"]), make_sentence("c", None)]
    monkeypatch.setitem(IMPORTERS, "pose", lambda _, __: source_of(*clips))
    count = convert(tmp_path, tmp_path / "out.parquet", source_format="pose")
    assert (count.num_clips, count.num_sentences, count.num_without_gloss) == (3, 2, 1)
    assert count.glosses == {"x", "y"}
    printed = capsys.readouterr().out
    for name, number in (("sentences", 2), ("glosses", 2), ("clips without gloss", 1)):
        assert re.search(rf"\W {name}\W+{number} ", printed)
    assert open_shards(str(tmp_path / "out.parquet")).is_labelled.tolist() == [True, True, False]


def test_an_import_of_signs_says_nothing_of_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(IMPORTERS, "pose", lambda _, __: source_of(make_clip("a")))
    convert(tmp_path, tmp_path / "out.parquet", source_format="pose")
    assert "sentences" not in capsys.readouterr().out
