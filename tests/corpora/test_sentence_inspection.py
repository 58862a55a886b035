"""What an inspection says of sentences: what is signed, how fast, and when."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clip_factory import clips_of, make_sentence
from typer.testing import CliRunner

from slr_ray.corpora.corpus import Corpus, open_cached
from slr_ray.corpora.inspection.inspection import inspect_corpus
from slr_ray.corpora.inspection.page import write_page
from slr_ray.data import app
from slr_ray.poses.clip import Clip
from slr_ray.poses.drawing import draw_skeleton, draw_strip, view_of
from slr_ray.poses.shard_writing import write_shard

CLIPS = [
    make_sentence(
        "1", ["i", "book"], 50, times=[(0, 20), (22, 50)], text="I have a <book>.", seed=1
    ),
    make_sentence("2", ["i", "book"], 20, signer="bob", seed=2),
    make_sentence("3", ["i", "i", "i"], 16, fps=None, seed=3),
    make_sentence("4", None, 5, signer=None, seed=4),
    make_sentence("5", ["i", "read", "book", "no"], 100, seed=5),
]


def corpus_of(clips: list[Clip], key: str) -> Corpus:
    return open_cached(f"sentence-inspection-{key}", "corpus", lambda: clips, provenance=list)


def test_sentences_are_counted_by_their_glosses() -> None:
    found = inspect_corpus(corpus_of(CLIPS, "all"))
    assert (found.num_clips, found.num_unlabelled) == (5, 1)
    assert (found.glosses, found.signers) == (["book", "i", "no", "read"], ["ann", "bob", None])
    # By hand: how often each of ann, bob and unknown signers signs it.
    assert found.clips_per_gloss_and_signer == [[2, 1, 0], [5, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert found.unlabelled_per_signer == [0, 0, 1]
    report = found.sentences
    assert report is not None
    assert (report.num_sequences, report.num_signed, report.num_signed_once) == (3, 11, 2)
    assert (report.lengths.shortest, report.lengths.median, report.lengths.longest) == (2, 2.5, 4)
    # 1, 2.5 and 1 glosses a second; of one sentence nobody knows how fast it is.
    assert report.glosses_a_second == pytest.approx(1)
    assert report.num_timed == 1
    assert (report.num_too_short, report.too_short) == (1, ["3"])


def test_what_can_not_be_learnt_is_warned_of() -> None:
    told = " | ".join(inspect_corpus(corpus_of(CLIPS, "all")).warnings)
    assert "2 of 4 glosses are signed once" in told
    assert "1 sentences have fewer steps of 4 frames than their glosses need" in told
    assert "learnt from them: 3" in told
    # Language is unbalanced; that is no fault of a corpus.
    rows = [make_sentence(f"{n}", ["a"] * 20 + ["b"], 100, seed=n) for n in range(3)]
    assert "unbalanced" not in " ".join(inspect_corpus(corpus_of(rows, "zipf")).warnings)


def test_isolated_signs_have_no_report_of_sentences() -> None:
    corpus = corpus_of(clips_of([("p", "a"), ("q", "a")]), "isolated")
    assert inspect_corpus(corpus).sentences is None


def test_the_page_shows_when_each_gloss_is_signed(tmp_path: Path) -> None:
    corpus = corpus_of(CLIPS, "all")
    page, _ = write_page(corpus, inspect_corpus(corpus), tmp_path, [0, 1, 3])
    html = page.read_text()
    assert "1 · i book (I have a &lt;book&gt;.) · signer ann" in html
    assert "2 · i book · signer bob" in html
    assert "4 · no gloss · unknown signers" in html
    assert "book: frames 22 to 49" in html
    assert html.count("Glosses of 1 over its frames") == 1
    assert "Glosses of 2" not in html
    drawn = {path.name for path in (tmp_path / "clips").iterdir()}
    assert drawn == {"1.png", "1.gif", "1-glosses.svg", "2.png", "2.gif", "4.png", "4.gif"}
    assert (tmp_path / "gloss_lengths.svg").exists()


def test_a_strip_shows_the_middle_of_each_gloss() -> None:
    clip = CLIPS[0]
    strip = draw_strip(clip, size=60)
    assert strip.width == 2 * 60
    drawn = draw_skeleton(clip.positions[36], clip.confidence[36], view_of(clip), 60)
    np.testing.assert_array_equal(np.asarray(strip)[:60, 61:120], np.asarray(drawn)[:, 1:])
    assert draw_strip(clip, num_frames=1, size=60).width == 60
    assert draw_strip(CLIPS[1], size=60).width == 8 * 60


def test_the_command_tells_of_sentences(tmp_path: Path) -> None:
    path = tmp_path / "sentences.parquet"
    write_shard(path, CLIPS, {"extractor": "test"})
    out = ["--out", str(tmp_path / "out"), "--clip", "1"]
    result = CliRunner().invoke(app, ["inspect", str(path), *out])
    assert result.exit_code == 0, result.output
    assert "5 (1 without gloss)" in result.output
    assert "11 (2 glosses only once)" in result.output
    assert "2 to 4, median 2.5" in result.output
    written = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert written["sentences"]["num_too_short"] == 1


def test_sentences_with_the_same_frames_and_other_glosses_are_warned_of() -> None:
    clips = [make_sentence(f"{n}", glosses, 12) for n, glosses in enumerate(["ab", "ac", "ab"])]
    found = inspect_corpus(corpus_of(clips, "same"))
    assert found.duplicates.identical[0].glosses == ["a b", "a c", "a b"]
    assert found.duplicates.num_identical_across_glosses == 1
    assert not np.isnan(found.missing.body)
