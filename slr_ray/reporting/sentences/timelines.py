"""A sentence as lanes over its frames: what is signed when, and what a recogniser says."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.documents.document import Block, Figure
from slr_ray.documents.gloss_lanes import Signed, gloss_lanes
from slr_ray.documents.svg import Canvas
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.reporting.wording import percent
from slr_ray.sentences.word_errors import errors_in, paired

_RIGHT, _SUBSTITUTED, _DELETED, _INSERTED, _UNJUDGED = 2, 1, 4, 5, 3
_COLOURS = {"right": _RIGHT, "other gloss": _SUBSTITUTED, "not said": _DELETED, "added": _INSERTED}


def timeline(one: SentencePrediction, alt: str) -> Canvas:
    """The predicted glosses with their spikes, below the true ones where their times are known.

    Colours say what became of each where the true glosses are known, as `paired` has it.
    """
    true, said = _series(one)
    lanes = {}
    if one.starts is not None and one.ends is not None:
        times = zip(one.glosses, one.starts, one.ends, true, strict=True)
        lanes["true"] = [Signed(*signed) for signed in times]
    found = zip(
        one.predicted,
        one.predicted_starts,
        one.predicted_ends,
        said,
        one.spikes,
        strict=True,
    )
    lanes["predicted"] = [Signed(*signed) for signed in found]
    used = {*said, *(true if "true" in lanes else [])}
    entries = [(told, series) for told, series in _COLOURS.items() if series in used]
    return gloss_lanes(lanes, one.num_frames, alt, entries)


def _series(one: SentencePrediction) -> tuple[list[int], list[int]]:
    """The colours of the true and of the predicted glosses."""
    if not one.glosses:
        return [], [_UNJUDGED] * len(one.predicted)
    true, said = [], []
    for first, second in paired(one.glosses, one.predicted):
        both = _RIGHT if first == second else _SUBSTITUTED
        if first is not None:
            true.append(_DELETED if second is None else both)
        if second is not None:
            said.append(_INSERTED if first is None else both)
    return true, said


def some(answers: Sequence[SentencePrediction]) -> dict[str, SentencePrediction]:
    """Of one model's test sentences the best, the median and the worst, by word errors."""
    # Of equals the longest comes first: it shows most.
    order = sorted(answers, key=lambda one: (rate(one), -len(one.glosses), one.clip_id))
    return {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}


def rate(one: SentencePrediction) -> float:
    """A sentence's word errors over its glosses."""
    return errors_in(paired(one.glosses, one.predicted)).rate


def timeline_blocks(answers: Sequence[SentencePrediction]) -> list[Block]:
    """The drawings of `some`."""
    blocks: list[Block] = []
    for name, one in some(answers).items():
        told = f"{one.clip_id}, {name}, WER {percent(rate(one))}"
        alt = f"{told}: true {' '.join(one.glosses)}; predicted {' '.join(one.predicted) or 'none'}"
        caption = f"{told}: {' '.join(one.glosses)}"
        blocks.append(Figure(f"timeline_{name}", timeline(one, alt), caption))
    return blocks
