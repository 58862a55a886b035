"""What the arms of a search's final comparison do on test sentences."""

from __future__ import annotations

from slr_ray.documents.document import Paragraph, Section
from slr_ray.records.measured import Span, of_sentences
from slr_ray.reporting.run import Run
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.reporting.sentences.page import error_sections
from slr_ray.reporting.sentences.word_errors import in_time_table, rates_table


def of_arm(run: Run, arm: str, other: str | None = None) -> Answered | None:
    """An arm on its seeds, or on those that another arm has, too; None where there is none."""
    seeds = {one.seed for one in run.arm(arm if other is None else other)}
    records = [one for one in run.arm(arm) if one.seed in seeds]
    if not records:
        return None
    return Answered(
        title=run.titles[arm],
        series=run.series[arm],
        answers=[run.answers[arm, one.seed] for one in records],
        metrics=[of_sentences(one.test) for one in records],
        trained=[one.trained for one in records if one.trained is not None],
    )


def wer_spans(run: Run, arm: str) -> dict[str, Span]:
    """An arm's WER where signers are drawn again; empty where there are none to draw."""
    one = of_arm(run, arm)
    return {"wer": one.span()} if one is not None and one.has_signers else {}


def difference_in_wer(run: Run, arm: str, reference: str) -> dict[str, Span]:
    """By how much an arm's 1 - WER is above a reference's on common seeds; empty as `wer_spans`."""
    ours, theirs = of_arm(run, arm, reference), of_arm(run, reference, arm)
    if ours is None or theirs is None or not ours.has_signers:
        return {}
    return {"gloss_accuracy": theirs.span(ours)}


def sentence_sections(run: Run) -> list[Section]:
    """Word errors of all arms; gloss by gloss and sentence by sentence of the best trial."""
    every = {arm: one for arm in run.arm_names if (one := of_arm(run, arm)) is not None}
    if not every:
        note = Paragraph("No test results yet.", "note")
        return [Section("wer", "Word errors", [note])]
    shown = next((every[arm] for arm in ("sslr_best", "sslr_default") if arm in every), None)
    arms = list(every.values())
    return [
        Section("wer", "Word errors", [rates_table(arms), in_time_table(arms)]),
        *error_sections(arms, shown or arms[0]),
    ]
