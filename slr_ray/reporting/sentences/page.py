"""The sections of a report that are about sentences, and the page of `slr_ray.train`."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.documents.document import Block, Document, Paragraph, Section
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.reporting.sentences.curves import curve_figures
from slr_ray.reporting.sentences.timelines import timeline_blocks
from slr_ray.reporting.sentences.word_errors import (
    error_blocks,
    gloss_table,
    in_time_table,
    length_blocks,
    rates_table,
)

_KEY = (
    "Above what is signed, below what the model says, with a dot at the frame in which each gloss "
    "is most probable."
)


def sentence_page(one: Answered, corpus: str, split: str) -> Document:
    """What one configuration does on test sentences."""
    seeds = [str(own.seed) for own in one.trained]
    subtitle = f"{corpus} · {split} · seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"
    return Document(
        f"{one.title} on sentences",
        subtitle,
        [
            Section("wer", "Word errors", [rates_table([one]), in_time_table([one])]),
            *error_sections([one], one),
            Section("training", "Training", [*curve_figures([one])]),
        ],
    )


def error_sections(every: Sequence[Answered], shown: Answered) -> list[Section]:
    """By length for all; gloss by gloss and sentence by sentence for one of them."""
    timelines: list[Block] = [Paragraph(_KEY, "note"), *timeline_blocks(shown.answers[0])]
    return [
        Section("lengths", "By length", length_blocks(every)),
        Section("glosses", "Gloss by gloss", [gloss_table(shown), *error_blocks(shown)]),
        Section("timelines", "Sentence by sentence", timelines),
    ]
