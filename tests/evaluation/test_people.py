"""Metrics over people: equal to those of the whole set, and intervals that keep signers whole."""

from __future__ import annotations

import numpy as np
import pytest

from slr_ray.evaluation.metrics import measure
from slr_ray.evaluation.people import POOLED_METRICS, SignerCounts, difference_spans, spans
from slr_ray.records.predictions import ClipPrediction, from_parquet, pooled, to_parquet

GLOSSES = tuple("abcdefg")


def answers(seed: int = 0, skill: float = 1.0, num_signers: int = 6) -> list[ClipPrediction]:
    """Of every signer 20 clips; the higher `skill`, the more are right."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(20 * num_signers):
        gloss = int(rng.integers(5))
        logits = rng.standard_normal(len(GLOSSES))
        logits[gloss] += skill
        best = tuple(GLOSSES[one] for one in np.argsort(-logits)[:5])
        probability = float(np.float32(np.exp(logits[gloss]) / np.exp(logits).sum()))
        signer = f"s{number % num_signers}"
        found.append(ClipPrediction(f"clip{number:03d}", signer, GLOSSES[gloss], best, probability))
    return found


def plain(found: list[ClipPrediction]) -> dict[str, float]:
    """The four metrics, loop by loop."""
    occurs = sorted({one.gloss for one in found})
    either = sorted({one.gloss for one in found} | {one.predicted for one in found})
    recalls, f1 = [], []
    for gloss in either:
        own = [one for one in found if one.gloss == gloss]
        hits = sum(one.predicted == gloss for one in own)
        taken = sum(one.predicted == gloss for one in found)
        f1.append(2 * hits / (len(own) + taken))
        if gloss in occurs:
            recalls.append(hits / len(own))
    return {
        "accuracy": sum(one.predicted == one.gloss for one in found) / len(found),
        "top5_accuracy": sum(one.gloss in one.top5 for one in found) / len(found),
        "balanced_accuracy": sum(recalls) / len(recalls),
        "macro_f1": sum(f1) / len(f1),
    }


def test_counted_by_signer_they_are_the_metrics_of_the_whole_set() -> None:
    found = answers()
    assert SignerCounts.of(found).once() == pytest.approx(plain(found))
    # And those of `measure`, which knows probabilities.
    probabilities = np.full((len(found), 7), 0.0, np.float32)
    for row, one in enumerate(found):
        for place, gloss in enumerate(one.top5):
            probabilities[row, GLOSSES.index(gloss)] = 0.5 - 0.1 * place
    truth = np.array([GLOSSES.index(one.gloss) for one in found])
    measured = measure(probabilities, truth)
    assert SignerCounts.of(found).once() == pytest.approx(
        {name: getattr(measured, name) for name in POOLED_METRICS}
    )


def test_a_signer_drawn_twice_counts_twice() -> None:
    found = answers(num_signers=3)
    counts = SignerCounts.of(found)
    again = [one for name in ("s0", "s2", "s2") for one in found if one.signer == name]
    metrics = counts.metrics(np.array([[1.0, 0.0, 2.0], [1.0, 1.0, 1.0]]))
    assert {name: values[0] for name, values in metrics.items()} == pytest.approx(plain(again))
    assert {name: values[1] for name, values in metrics.items()} == pytest.approx(plain(found))


def test_an_interval_is_as_wide_as_people_differ() -> None:
    alike = [ClipPrediction(f"c{n}", f"s{n % 8}", "ab"[n // 8 % 2], ("a",), 0.5) for n in range(64)]
    same = spans([SignerCounts.of(alike)], 200)["accuracy"]
    assert (same.low, same.high) == (0.5, 0.5)
    # As many are right, but all of four signers.
    apart = [ClipPrediction(f"c{n}", f"s{n % 8}", "ab"[n % 8 // 4], ("a",), 0.5) for n in range(64)]
    found = spans([SignerCounts.of(apart)], 4000)["accuracy"]
    # Of 8 signers drawn, 4 ± 1.96 √2 are right.
    assert found.low == pytest.approx(0.125, abs=0.13)
    assert found.low < 0.25 < 0.75 < found.high
    again = spans([SignerCounts.of(apart)], 4000)["accuracy"]
    assert found == again


@pytest.mark.parametrize("num_signers", [6, 8])
def test_an_interval_over_few_people_holds_what_it_says(num_signers: int) -> None:
    """People of different skill, 20 clips each: plain percentiles hold 86 %."""
    rng = np.random.default_rng(0)
    held = 0
    names, clips = tuple(f"s{n:02d}" for n in range(num_signers)), np.full((num_signers, 1), 20.0)
    for _ in range(300):
        hits = rng.binomial(20, rng.beta(6, 2, num_signers)).astype(float)
        counts = SignerCounts(names, clips, hits[:, None], clips, hits)
        found = spans([counts], 500)["accuracy"]
        held += found.low <= 0.75 <= found.high
    assert 0.9 <= held / 300 <= 0.98


def test_too_few_people_have_no_interval() -> None:
    few = [SignerCounts.of(answers(num_signers=4))]
    assert spans(few) == difference_spans(few, few) == {}
    assert spans([SignerCounts.of(answers(num_signers=5))]).keys() == set(POOLED_METRICS)


def test_differences_are_paired_by_signer() -> None:
    worse = [SignerCounts.of(answers(seed, 0.5)) for seed in range(2)]
    better = [SignerCounts.of(answers(seed, 3.0)) for seed in range(2)]
    assert difference_spans(better, worse, 500)["accuracy"].low > 0
    nothing = difference_spans(worse, worse, 500)
    assert all((one.low, one.high) == (0, 0) for one in nothing.values())
    with pytest.raises(ValueError, match="same signers"):
        difference_spans(better, [SignerCounts.of(answers(num_signers=5))])


def test_predictions_come_back_from_their_file_and_pool_once() -> None:
    found = [*answers(), ClipPrediction("x", None, "a", ("b", "a"), 0.25)]
    assert from_parquet(to_parquet(found)) == found
    assert pooled([found[60:], found[:60]]) == sorted(found, key=lambda one: one.clip_id)
    with pytest.raises(ValueError, match="twice"):
        pooled([found, found[:1]])
    assert SignerCounts.of(found).signers[-1] is None
    with pytest.raises(ValueError, match="no prediction"):
        SignerCounts.of([])
