"""Answers on sentences by signer: figures of all together, intervals against kaldialign's."""

from __future__ import annotations

import kaldialign
import numpy as np
import pytest
from sentence_records import answers, prediction

from slr_ray.evaluation import people
from slr_ray.evaluation.people import difference_spans, spans
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.sentences.people import SentenceCounts
from slr_ray.sentences.word_errors import WordErrors, errors_in, paired


def rate(given: list[SentencePrediction]) -> float:
    return WordErrors.together(errors_in(paired(one.glosses, one.predicted)) for one in given).rate


def some(
    seed: int, share: float, fewer: int = 0, num_sentences: int = 60
) -> list[SentencePrediction]:
    """Sentences with substitutions alone; every other one has `fewer`."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(num_sentences):
        length = int(rng.integers(3, 9))
        errors = max(int(rng.binomial(length, share)) - fewer * (place % 2), 0)
        said = "x" * errors + "a" * (length - errors)
        found.append(prediction(f"{place:03d}", "a" * length, said))
    return found


def test_a_signer_drawn_twice_counts_twice() -> None:
    given = answers(0.6)
    counts = SentenceCounts.of(given)
    assert counts.signers == ("ann", "ben", "cem", "dan", "eva")
    found = counts.metrics(np.array([[1.0, 0.0, 2.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0]]))
    own = {name: [one for one in given if one.signer == name] for name in counts.signers}
    assert found["wer"] == pytest.approx(
        [rate(own["ann"] + 2 * own["cem"]), rate(given)], rel=1e-12
    )
    assert counts.once()["gloss_accuracy"] == 1 - counts.once()["wer"]


def test_segments_are_those_of_all_sentences_together() -> None:
    given = [
        prediction("1", "ab", "ab", signer="ann"),
        prediction("2", "ab", "ac", signer="ben"),
        prediction("3", "c", "", signer="cem", timed=False),
        prediction("4", "ab", "abb", signer="cem"),
    ]
    found = SentenceCounts.of(given).once()
    # Of the three sentences with times: 7 segments said, 6 true, 5 of their gloss and place.
    assert found["segment_f1_50"] == 2 * 5 / 13
    assert found["boundary_f1_50"] == 2 * 6 / 13
    assert found["frame_accuracy"] == 5 / 6
    untimed = [prediction("1", "ab", "ab", timed=False)]
    assert SentenceCounts.of(untimed).once() == {"wer": 0.0, "gloss_accuracy": 1.0}


def test_a_draw_of_people_without_times_says_nothing_in_time() -> None:
    given = [prediction("1", "ab", "ab", signer="ann")]
    given += [prediction(one, "ab", "x", signer=one, timed=False) for one in "bcdef"]
    found = spans([SentenceCounts.of(given)])
    assert (found["segment_f1_50"].low, found["segment_f1_50"].high) == (1.0, 1.0)
    assert found["wer"].low < 5 / 6 < found["wer"].high == 1.0


def test_interval_over_sentences_is_that_of_kaldialign() -> None:
    ours, theirs = some(0, 0.3), some(0, 0.3, fewer=1)
    true = [list(one.glosses) for one in ours]
    said = [[list(one.predicted) for one in own] for own in (ours, theirs)]
    expected = kaldialign.bootstrap_wer_ci(true, *said, seed=1)
    for own, name in ((ours, "system1"), (theirs, "system2")):
        counts = SentenceCounts.of(own, each=True)
        assert counts.once()["wer"] == pytest.approx(rate(own), rel=1e-12)
        found = spans([counts])["wer"]
        assert found.low == pytest.approx(expected[name]["ci95min"], abs=0.01)
        assert found.high == pytest.approx(expected[name]["ci95max"], abs=0.01)


def test_pairs_take_out_what_both_share() -> None:
    counts, worse = ([SentenceCounts.of(some(0, 0.5, fewer), each=True)] for fewer in (1, 0))
    paired = difference_spans(worse, counts)["wer"]
    alone = spans(worse)["wer"]
    assert paired.low > 0
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)
    nothing = difference_spans(worse, worse)
    assert {(one.low, one.high) for one in nothing.values()} == {(0, 0)}


def test_people_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of six signers three are always right and three always wrong: seven draws are possible.
    given = [
        prediction(f"{signer}{number}", "aaaaa", said * 5, signer=signer)
        for signer, said in zip("abcdef", "axaxax", strict=True)
        for number in range(4)
    ]
    found = spans([SentenceCounts.of(given)])["wer"]
    assert (found.low, found.high) == (0.0, 1.0)
    each = [SentenceCounts.of(given, each=True)]
    drawn_at_once = spans(each)
    assert drawn_at_once["wer"].high < 0.8
    # However many are drawn at a time.
    monkeypatch.setattr(people, "_NUMBERS_AT_ONCE", 7 * 24)
    assert spans(each) == drawn_at_once


def test_no_sentence_has_no_counts() -> None:
    with pytest.raises(ValueError, match="no sentence"):
        SentenceCounts.of([])
