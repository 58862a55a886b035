"""What a split measures is said wherever a score is promised or given; what is hopeless stops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import record_factory as factory
from clip_factory import clips_of
from experiment_factory import SMALL, printed, write_shards

from slr_ray.corpora.corpus import Corpus, open_cached
from slr_ray.corpora.split_checks import num_glosses, refuse_untaught, split_warnings
from slr_ray.corpora.splits import FileSplitConfig, SignerSplitConfig, Split, split_corpus
from slr_ray.errors import ConfigError
from slr_ray.poses.clip import Clip
from slr_ray.reporting.run import load_run
from slr_ray.reporting.verdict import verdict
from slr_ray.train import train

Rows = list[tuple[str | None, str | None]]
# Whoever is held out signs hello only.
ONE_GLOSS: Rows = [(signer, "hello") for signer in "abcd" for _ in range(5)]
ONE_GLOSS += [("c", "no"), ("c", "thanks"), ("c", "iloveyou")]
# Folders of topics that were taken for people.
TOPICS: Rows = [(topic, f"{topic}{number % 2}") for topic in "pqrs" for number in range(8)]


def corpus_of(rows: Rows) -> Corpus:
    clips = clips_of(rows, num_frames=4)
    return open_cached(f"checks-{hash(tuple(rows))}", "rows", lambda: clips, provenance=list)


def shard_of(folder: Path, rows: Rows) -> str:
    corpus, path = corpus_of(rows), folder / "poses.parquet"
    write_shards(path, corpus, list(range(corpus.num_clips)))
    return str(path)


def test_a_test_set_of_few_glosses_is_told() -> None:
    corpus = corpus_of(ONE_GLOSS)
    parts = split_corpus(corpus, SignerSplitConfig())
    assert num_glosses(corpus, parts.test) == 1
    (told,) = split_warnings(corpus, parts)
    assert told.startswith("the test set holds 1 of 4 glosses, validation 1")


def test_a_split_that_measures_everything_is_not_warned_of() -> None:
    corpus = corpus_of([(signer, gloss) for signer in "abcdef" for gloss in "xy"])
    assert split_warnings(corpus, split_corpus(corpus, SignerSplitConfig())) == []


def test_glosses_that_are_never_taught_are_counted_in_clips() -> None:
    corpus = corpus_of([("a", "x"), ("a", "x"), ("b", "x"), ("b", "odd"), ("c", "odd")])
    sets = (np.array([0, 1]), np.array([2, 3]), np.array([4]))
    (told,) = split_warnings(corpus, Split(*sets, untrained_glosses=("odd",)))[1:]
    assert "1 of 2 validation clips and 1 of 1 test clips are always wrong: odd" in told


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_set_of_which_no_gloss_is_taught_is_refused(name: str) -> None:
    corpus = corpus_of([("a", "x"), ("b", "x"), ("b", "odd"), ("c", "y")])
    sets = {"training": np.array([0]), "validation": np.array([1]), "test": np.array([1])}
    refuse_untaught(corpus, Split(**sets), np.array([0]))
    sets[name] = np.array([2])
    message = rf"no gloss of the 1 {name} clips has a labelled training clip \(odd\)"
    with pytest.raises(ConfigError, match=message) as raised:
        refuse_untaught(corpus, Split(**sets), np.array([0]))
    assert "categories" not in str(raised.value)
    # One gloss of several is enough: official splits are as they are.
    sets[name] = np.array([1, 2])
    refuse_untaught(corpus, Split(**sets), np.array([0]))


def test_one_gloss_is_nothing_to_tell_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train([*SMALL, "data.glosses=1"], seed=0, out=str(tmp_path), num_threads=1)
    assert ended.value.code == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "of 1 gloss: at least 2 are needed" in told
    assert "label more clips" in told


def test_folders_of_topics_are_not_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train([*SMALL], data=shard_of(tmp_path, TOPICS), out=str(tmp_path / "out"), num_threads=1)
    assert ended.value.code == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "Every gloss has one signer only: if these are categories or folders" in told
    assert not (tmp_path / "out/seed_0").exists()


def test_training_says_what_its_score_is_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train([*SMALL], data=shard_of(tmp_path, ONE_GLOSS), out=str(tmp_path / "out"), num_threads=1)
    told = printed(capsys)
    assert "test 5 clips of 1 of 4 glosses" in told
    assert "the test set holds 1 of 4 glosses, validation 1: scores say nothing of the" in told
    assert "of 5 clips of 1 of 4 glosses" in told.split("test: accuracy")[1]


@pytest.mark.parametrize(("held", "unknown"), [(3, 4674), (10, 0)])
def test_a_report_says_what_its_scores_are_of(tmp_path: Path, held: int, unknown: int) -> None:
    split = {**factory.run_record().split, "num_clips_of_unknown_signers": unknown}
    split["test"] = {**split["test"], "num_glosses": held}
    factory.write_run(str(tmp_path), factory.WIN, trials=[], split=split)
    caveats = " ".join(verdict(load_run(str(tmp_path))).caveats)
    assert ("The test set holds 3 of 10 glosses" in caveats) == (held == 3)
    assert ("4,674 clips of unknown signers" in caveats) == (unknown > 0)


@pytest.mark.parametrize("word", ["val", "VAL", "Valid", "dev", " Validation "])
def test_a_split_file_says_validation_in_any_word(tmp_path: Path, word: str) -> None:
    corpus = corpus_of(ONE_GLOSS)
    path = tmp_path / "split.csv"
    rows = ["clip_id;split", "clip0;TRAIN", f"clip1;{word}", "clip2;Test"]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())
    found = split_corpus(corpus, FileSplitConfig(path=path))
    assert (found.training.tolist(), found.validation.tolist()) == ([0], [1])
    assert found.test.tolist() == [2]


def test_a_split_file_may_spell_accents_another_way(tmp_path: Path) -> None:
    frame, seen = np.full((1, 54, 2), 0.5, np.float32), np.ones((1, 54), np.float32)
    names = ["u\u0308ben", "caf\u00e9", "plain"]
    clips = [Clip(name, "a", None, None, frame, seen) for name in names]
    corpus = open_cached("accents", "accents", lambda: clips, provenance=list)
    rows = ["clip_id,split", "\u00fcben,train", "cafe\u0301,dev", "plain,test"]
    (tmp_path / "split.csv").write_text("\n".join(rows))
    found = split_corpus(corpus, FileSplitConfig(path=tmp_path / "split.csv"))
    assert [one.tolist() for one in (found.training, found.validation, found.test)] == [
        [0],
        [1],
        [2],
    ]
