"""The result of a run in plain sentences: the same for terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from slr_ray.evaluation.people import difference_spans, spans
from slr_ray.evaluation.statistics import PairedDifference, holm, interval, paired_difference
from slr_ray.records.measured import Interval, Span
from slr_ray.reporting.run import METRIC_NAMES, Run
from slr_ray.reporting.trials.winners import taken
from slr_ray.reporting.wording import interval_text, p_text, points, untold_text

_MAX_GLOSSES = 20
_PAIRS = tuple(
    (arm, reference)
    for arm in ("sslr_best", "sslr_default")
    for reference in ("fsl_equal_steps", "fsl")
)

Outcome = Literal["better", "worse", "open", "undecided"]


@dataclass(frozen=True)
class ArmResult:
    """One arm on the test set: an interval over seeds for each of `Run.test_metrics`."""

    arm: str
    metrics: dict[str, Interval]
    over_signers: Mapping[str, Span]
    """Where signers are drawn again; empty without predictions, which earlier versions lack."""


@dataclass(frozen=True)
class Comparison:
    """`arm - reference` on the test set, paired by seed, as shares (not points)."""

    arm: str
    reference: str
    metric: str
    difference: PairedDifference
    corrected_p: float | None
    """Holm-corrected over the comparisons of this metric."""
    over_signers: Span | None = None
    """The same difference where signers are drawn again."""

    @property
    def outcome(self) -> Outcome:
        if self.difference.half_width is None:
            return "undecided"
        if not self.difference.excludes_zero:
            return "open"
        return "better" if self.difference.mean > 0 else "worse"


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    headline: str
    sentences: list[str]
    caveats: list[str]
    results: list[ArmResult]
    comparisons: list[Comparison]
    metric: str
    """The metric of the headline, one that arms are compared by."""


def verdict(run: Run) -> Verdict:
    """What the final comparison on the test set shows, and no more than that.

    The headline compares the best trial with FSL and with FSL at equal steps. A difference counts
    as shown where its 95 % interval over common seeds excludes 0; p-values are Holm-corrected over
    the comparisons made.
    """
    metric = run.headline_metric
    results = [ArmResult(arm, _intervals(run, arm), _spans(run, arm)) for arm in run.arm_names]
    paired = {(arm, reference): _difference_spans(run, arm, reference) for arm, reference in _PAIRS}
    comparisons = [found for name in run.compared_metrics for found in _compare(run, name, paired)]
    judged = [one for one in comparisons if one.metric == metric]
    outcome, headline = _headline(judged, metric)
    sentences = [_arm_sentence(result, run.titles) for result in results]
    sentences += [_comparison_sentence(one, run.titles) for one in judged]
    return Verdict(
        outcome, headline, sentences, _caveats(run, judged), results, comparisons, metric
    )


def _comparison_sentence(one: Comparison, titles: Mapping[str, str]) -> str:
    difference = one.difference
    subject = f"{titles[one.arm]} against {titles[one.reference]}"
    size = f"{points(difference.mean)} points of {METRIC_NAMES[one.metric]}"
    people = ""
    if one.over_signers is not None:
        low, high = points(one.over_signers.low), points(one.over_signers.high)
        people = f" Over other signers: {low} to {high}."
    if difference.low is None or difference.high is None:
        why = untold_text(difference.num_seeds)
        return f"{subject}: {size} ({why}, so there is no interval).{people}"
    reading = {
        "better": "excludes 0: better",
        "worse": "excludes 0: worse",
        "open": "includes 0: within noise",
        "undecided": "",
    }[one.outcome]
    corrected = "" if one.corrected_p is None else f"; Holm-corrected p {p_text(one.corrected_p)}"
    return (
        f"{subject}: {size} (95 % interval {points(difference.low)} to {points(difference.high)}, "
        f"{difference.num_seeds} seeds; {reading}{corrected}).{people}"
    )


def _intervals(run: Run, arm: str) -> dict[str, Interval]:
    return {name: interval(list(run.test_values(arm, name).values())) for name in run.test_metrics}


def _spans(run: Run, arm: str) -> Mapping[str, Span]:
    people = run.people(arm)
    return spans(people) if people else {}


def _difference_spans(run: Run, arm: str, reference: str) -> Mapping[str, Span]:
    ours, theirs = run.people(arm, reference), run.people(reference, arm)
    return difference_spans(ours, theirs) if ours and theirs else {}


def _compare(
    run: Run, metric: str, paired: Mapping[tuple[str, str], Mapping[str, Span]]
) -> list[Comparison]:
    found = []
    for arm, reference in _PAIRS:
        difference = paired_difference(
            run.test_values(arm, metric), run.test_values(reference, metric)
        )
        if difference is not None:
            found.append((arm, reference, difference))
    tested = [one.p_value for _, _, one in found if one.p_value is not None]
    corrected = iter(holm(tested))
    return [
        Comparison(
            arm,
            reference,
            metric,
            one,
            None if one.p_value is None else next(corrected),
            paired[arm, reference].get(metric),
        )
        for arm, reference, one in found
    ]


def _headline(judged: list[Comparison], metric: str) -> tuple[Outcome, str]:
    by_reference = {one.reference: one for one in judged if one.arm == "sslr_best"}
    equal = by_reference.get("fsl_equal_steps")
    plain = by_reference.get("fsl")
    strict = equal or plain
    if strict is None:
        return (
            "undecided",
            "Not decided: the final comparison has no test results of the best trial and FSL yet.",
        )
    reference = "FSL at equal steps" if equal else "FSL"
    size = f"{points(strict.difference.mean)} points of {METRIC_NAMES[metric]} on the test set"
    if strict.outcome == "undecided":
        return (
            "undecided",
            f"Not decided: the best trial differs from {reference} by {size} "
            f"({untold_text(strict.difference.num_seeds)}); at least two seeds that differ, better "
            "five, are needed to tell it from noise.",
        )
    span = _span_text(strict.difference)
    if strict.outcome == "better":
        if equal and plain and plain.outcome != "better":
            return (
                "open",
                f"Mixed: the best trial is ahead of FSL at equal steps ({size}), but not shown "
                f"to beat FSL as it is ({points(plain.difference.mean)} points).",
            )
        return "better", f"Semi-supervised training helped: {size} against {reference} {span}."
    if strict.outcome == "worse":
        return "worse", f"Semi-supervised training hurt: {size} against {reference} {span}."
    if equal and plain and plain.outcome == "better":
        return (
            "open",
            f"Not shown to come from pseudo-labels: the best trial beats FSL by "
            f"{points(plain.difference.mean)} points, but against FSL at equal steps the "
            f"difference ({points(equal.difference.mean)}) is within noise; more training steps "
            "alone may explain the gain.",
        )
    return (
        "open",
        f"No difference shown: {size} against {reference} is within noise {span}.",
    )


def _span_text(difference: PairedDifference) -> str:
    low, high = difference.low, difference.high
    if low is None or high is None:
        return ""
    return f"(95 % interval {points(low)} to {points(high)}, {difference.num_seeds} seeds)"


def _arm_sentence(result: ArmResult, titles: Mapping[str, str]) -> str:
    values = ", ".join(
        f"{METRIC_NAMES[name]} {interval_text(found)}" for name, found in result.metrics.items()
    )
    num_seeds = next(iter(result.metrics.values())).num_seeds
    seeds = "1 seed, no interval" if num_seeds == 1 else f"{num_seeds} seeds"
    return f"{titles[result.arm]}: {values} ({seeds})."


def _caveats(run: Run, judged: list[Comparison]) -> list[str]:
    caveats = []
    if run.missing:
        caveats.append(f"The run is {run.state.lower()}; this verdict may still change.")
    weak = [
        one
        for one in judged
        if one.difference.excludes_zero and one.corrected_p is not None and one.corrected_p >= 0.05
    ]
    if weak:
        caveats.append(
            f"{len(weak)} of {len(judged)} comparisons exclude 0 on their own but not after "
            "Holm's correction for making several; read them as a hint."
        )
    caveats += _fold_caveats(run) + _people_caveats(judged)
    caveats += _split_caveats(run)
    fewest = min((one.difference.num_seeds for one in judged), default=0)
    if 2 <= fewest < 5:
        caveats.append(
            f"Only {fewest} seeds: the intervals are wide and lean on normally distributed results."
        )
    return caveats


def _fold_caveats(run: Run) -> list[str]:
    """How folds chose, and what of them is in the choice."""
    chosen = taken(run)
    if not run.record.num_folds or not chosen:
        return []
    numbers = ", ".join(str(one.number) for one in chosen.values())
    within = f" within {run.goals.limits_text()}" if run.goals.limits else ""
    return [
        f"Each of {run.record.num_folds} folds took the trial that validated best in it{within} "
        f"(trials {numbers}); which settings the search came to try, all folds led."
    ]


def _people_caveats(judged: list[Comparison]) -> list[str]:
    """Where the seeds agree and the people do not."""
    doubtful = [
        one
        for one in judged
        if one.difference.excludes_zero
        and one.over_signers is not None
        and one.over_signers.low <= 0 <= one.over_signers.high
    ]
    if not doubtful:
        return []
    return [
        f"{len(doubtful)} of {len(judged)} comparisons exclude 0 over seeds, but not where signers "
        "are drawn again: with other people the difference might vanish."
    ]


def _split_caveats(run: Run) -> list[str]:
    """What the test set does not measure; records of earlier versions may not tell."""
    split, total, caveats = run.record.split, len(run.record.glosses), []
    held = split.get("test", {}).get("num_glosses", total)
    if held < total:
        caveats.append(
            f"The test set holds {held} of {total} glosses: results say nothing of the others."
        )
    untrained = split.get("untrained_glosses", [])
    if untrained:
        shown = untrained[:_MAX_GLOSSES] + ["…"] * (len(untrained) > _MAX_GLOSSES)
        caveats.append(
            f"{len(untrained)} of {total} glosses are validated or tested but in "
            f"no training clip, so that every method gets them wrong: {', '.join(shown)}."
        )
    unknown = split.get("num_clips_of_unknown_signers", 0)
    if unknown:
        caveats.append(
            f"{unknown:,} clips of unknown signers are in the unlabelled pool: they may show "
            "people of validation and test, and results then are not those on new people."
        )
    return caveats
