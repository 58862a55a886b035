"""Reports on sentences: word errors counted right, nothing that only isolated signs have."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import sentence_records as made
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from slr_ray.documents.document import Document, Section, Table
from slr_ray.documents.html import to_html
from slr_ray.records.measured import SentenceMetrics, of_sentences
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.reporting.hparams import write_review
from slr_ray.reporting.report import build_document, write_report
from slr_ray.reporting.run import load_run
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.reporting.sentences.page import sentence_page
from slr_ray.reporting.sentences.timelines import some, timeline
from slr_ray.reporting.sentences.word_errors import in_time_table
from slr_ray.reporting.terminal import print_summary
from slr_ray.sentences.word_errors import paired, word_errors

SHARES = {
    "fsl": [0.5, 0.55, 0.5],
    "fsl_equal_steps": [0.55, 0.6, 0.5],
    "sslr_default": [0.6, 0.62, 0.6],
    "sslr_best": [0.9, 0.93, 0.88],
}
ISOLATED = re.compile(r"(?<!gloss_)accuracy|top-5|macro-F1|confus", re.IGNORECASE)
"""What is measured on isolated signs; gloss_accuracy is the name of a setting."""


def answered(answers: list[list[SentencePrediction]]) -> Answered:
    seeds = range(len(answers))
    return Answered(
        title="ours",
        series=3,
        answers=answers,
        metrics=[made.metrics(one) for one in answers],
        trained=[made.seed_record(seed, 0.8) for seed in seeds],
    )


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("runs") / "run")
    made.write_run(folder, SHARES)
    return folder


def cell(document: Document, anchor: str, row: str, column: str) -> object:
    """Of the first table of a section that has such a row."""
    for section in document.sections:
        tables = [one for one in section.blocks if isinstance(one, Table)]
        for table in tables if section.anchor == anchor else []:
            place = [one.title for one in table.columns].index(column)
            for found in table.rows:
                if found[0] == row:
                    return found[place]
    raise AssertionError(f"no {row} in {anchor}")


def test_boundaries_are_scored_beside_segments_and_earlier_records_lack_them() -> None:
    one = answered([made.answers(0.6)])
    boundaries = {name for name in SentenceMetrics.model_fields if name.startswith("boundary")}
    # What an earlier version wrote has no such fields, which reads as None.
    written = one.metrics[0].model_dump(exclude=boundaries)
    earlier = replace(one, title="earlier", metrics=[SentenceMetrics.model_validate(written)])
    document = Document("", "", [Section("time", "", [in_time_table([one, earlier])])])
    name = "boundary F1 at IoU 0.1"
    assert [cell(document, "time", row, name) for row in ("ours", "earlier")] == [0.8, None]
    assert cell(document, "time", "earlier", "segment F1 at IoU 0.1") == 0.7


def test_counts_are_those_of_a_plain_loop() -> None:
    answers = [made.answers(0.6, seed) for seed in (0, 1)]
    found = answered(answers)
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    by_length: dict[int, list[int]] = {}
    for given in answers:
        for one in given:
            errors = 0
            for true, said in paired(one.glosses, one.predicted):
                if true == said:
                    right[str(true)] += 1
                    continue
                errors += 1
                wrong[str(true if true is not None else said)] += 1
            by_length.setdefault(len(one.glosses), []).append(errors)
    for gloss, own in found.by_gloss().items():
        assert own.right == right[gloss]
        assert own.substituted + own.deleted + own.inserted == wrong[gloss]
        if own.num_true:
            assert own.rate == pytest.approx(wrong[gloss] / own.num_true)
    assert {length: own[1].total for length, own in found.by_length().items()} == {
        length: sum(errors) for length, errors in by_length.items()
    }
    # Once a sentence, however many seeds.
    assert sum(own[0] for own in found.by_length().values()) == len(answers[0])
    assert found.together.rate == pytest.approx(np.mean([one.wer for one in found.metrics]))


def test_pairs_count_as_the_word_error_rate_does() -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        true = "".join(rng.choice(list("abc"), rng.integers(1, 8)))
        said = "".join(rng.choice(list("abc"), rng.integers(0, 8)))
        numbers = [np.array([ord(one) for one in text], np.int64) for text in (true, said)]
        expected = word_errors(*numbers)
        (found,) = answered([[made.prediction("a", true, said)]]).errors
        assert found == expected


def test_signers_are_drawn_where_they_are_known() -> None:
    people = made.answers(0.6)
    assert answered([people]).has_signers
    one_signer = [made.prediction(str(n), "abc", "ab", signer="ann") for n in range(4)]
    assert not answered([one_signer]).has_signers
    unknown = [made.prediction(str(n), "abc", "ab", signer=None) for n in range(4)]
    assert not answered([unknown]).has_signers
    # Whoever is unknown among others counts as one person more, as with isolated signs.
    assert answered([[*people, made.prediction("z", "abc", "ab", signer=None)]]).has_signers
    # The same errors of everybody leave nothing to chance.
    same = answered([[made.prediction(one, "abc", "ab", signer=one) for one in "abcde"]]).span
    assert same is not None
    assert same.low == same.high == pytest.approx(1 / 3)
    # Of too few people sentences are drawn, and of too few sentences nothing.
    few = [
        made.prediction(f"{one}{two}", "abc", "ab", signer=one) for one in "abcd" for two in "xy"
    ]
    assert not answered([few]).has_signers
    assert answered([few]).span is not None
    assert answered([few[:4]]).span is None


def test_timelines_say_what_became_of_each_gloss() -> None:
    svg = timeline(made.prediction("a", "abcd", "xbde"), "a").svg()
    legend = re.findall(r'class="ink">([\w ]{5,})</text>', svg)
    assert legend == ["right", "other gloss", "not said", "added", "predicted"]
    untimed = timeline(made.prediction("a", "ab", "ab", timed=False), "a").svg()
    assert ">true<" not in untimed
    assert untimed.count("<circle") == 2
    unknown = timeline(made.prediction("a", "", "ab", timed=False), "a").svg()
    assert "right" not in unknown


def test_the_best_the_median_and_the_worst() -> None:
    given = [
        made.prediction(name, "abcd", said)
        for name, said in (("w", ""), ("b", "abcd"), ("m", "ab"), ("n", "abc"), ("o", "a"))
    ]
    assert {name: one.clip_id for name, one in some(given).items()} == {
        "best": "b",
        "median": "m",
        "worst": "w",
    }


def test_the_page_of_a_training() -> None:
    found = answered([made.answers(0.8, seed) for seed in (0, 1)])
    page = sentence_page(found, "corpus", "split by signer")
    errors = found.together
    assert cell(page, "wer", "ours", "deleted") == errors.deletions / errors.num_glosses
    assert cell(page, "glosses", "a", "signed") == found.by_gloss()["a"].num_true
    names = {one.name for one in page.figures()}
    assert {"wer_by_length", "timeline_worst", "sentence_non_blank_share"} <= names
    assert not ISOLATED.search(to_html(page))


def test_a_search_on_sentences_tells_word_errors(run_folder: str, tmp_path: Path) -> None:
    run = load_run(run_folder)
    assert run.of_sentences
    page = build_document(run)
    sections = {one.anchor for one in page.sections}
    assert {"verdict", "wer", "lengths", "glosses", "timelines", "training"} <= sections
    best = [of_sentences(one.test).wer for one in run.arm("sslr_best")]
    shown = cell(page, "verdict", "Best trial", "WER")
    assert str(shown).startswith(f"{100 * np.mean(best):.1f} ± ")
    write_report(run, str(tmp_path))
    told = (tmp_path / "report.md").read_text().replace("\\", "")
    assert not ISOLATED.search(told)
    assert "Semi-supervised training helped" in told
    screen = StringIO()
    print_summary(run, Console(file=screen, width=160))
    assert not ISOLATED.search(screen.getvalue())
    value = run.ranked[0].value
    assert value is not None
    assert f"{100 * (1 - value):.1f} %" in screen.getvalue()


def test_the_board_has_timelines_and_the_word_error_rate(run_folder: str) -> None:
    write_review(load_run(run_folder))
    folder = Path(run_folder) / "tensorboard/arms/sslr_best/seed_1"
    board = EventAccumulator(str(folder)).Reload()
    assert set(board.Tags()["images"]) == {f"timeline/{one}" for one in ("best", "median", "worst")}
    (point,) = board.Scalars("hparam/test_wer")
    record = load_run(run_folder).arm("sslr_best")[1]
    assert point.value == pytest.approx(of_sentences(record.test).wer)
    assert "hparam/wer" in board.Tags()["scalars"]
