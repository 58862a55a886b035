"""How training on sentences went: errors, spikiness and loss by gradient step, on validation."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.document import Figure
from slr_ray.records.measured import EpochRecord, of_sentences
from slr_ray.reporting.sentences.answered import Answered

_CURVES = {
    "wer": ("validation WER", True),
    "non_blank_share": ("steps with a gloss", True),
    "loss": ("validation loss", False),
    "training_loss": ("training loss", False),
}


def curve_figures(every: Sequence[Answered]) -> list[Figure]:
    """One line a seed."""
    found = []
    for name, (label, share) in _CURVES.items():
        drawn = [
            Line(one.title, points, one.series, title=f"{one.title}, seed {seed.seed}", marks=False)
            for one in every
            for seed in one.trained
            if (points := [(own.num_steps, _value(own, name)) for own in seed.epochs])
        ]
        alt = f"Learning curves: {label} by gradient step, one line a seed"
        caption = f"{label[0].upper()}{label[1:]} epoch by epoch, one line a seed."
        if name == "non_blank_share":
            caption += " Small where the model shows each gloss in a single spike."
        drawing = lines(drawn, alt, "gradient steps", label, share)
        found.append(Figure(f"sentence_{name}", drawing, caption))
    return found


def _value(epoch: EpochRecord, name: str) -> float:
    if name == "training_loss":
        return epoch.training_loss
    return float(getattr(of_sentences(epoch.validation), name))
