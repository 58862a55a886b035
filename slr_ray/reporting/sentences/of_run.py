"""What the arms of a search's final comparison do on test sentences."""

from __future__ import annotations

from slr_ray.documents.document import Paragraph, Section
from slr_ray.records.measured import of_sentences
from slr_ray.reporting.run import Run
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.reporting.sentences.page import error_sections
from slr_ray.reporting.sentences.word_errors import in_time_table, rates_table


def of_arm(run: Run, arm: str) -> Answered | None:
    """An arm on its seeds; None where there is none."""
    records = run.arm(arm)
    if not records:
        return None
    return Answered(
        title=run.titles[arm],
        series=run.series[arm],
        answers=[run.answers[arm, one.seed] for one in records],
        metrics=[of_sentences(one.test) for one in records],
        trained=[one.trained for one in records if one.trained is not None],
    )


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
