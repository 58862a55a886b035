"""A checkpoint's robustness as a page: what it loses most by, a curve for each kind, a table."""

from __future__ import annotations

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.document import (
    Block,
    Bullets,
    Column,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.evaluation.perturbations import CLEAN, Kind
from slr_ray.records.measured import Metric, Span
from slr_ray.records.robustness import RobustnessPoint, RobustnessRecord
from slr_ray.reporting.run import METRIC_NAMES
from slr_ray.reporting.wording import percent, points

_AXES: dict[Kind, str] = {
    "scale": "size of the person, 1 = as filmed",
    "translation": "shift in picture sizes",
    "rotation": "degrees, clockwise",
    "mirror": "share of clips that are mirrored",
    "dropped_joints": "share of joints that are lost",
    "dropped_frames": "share of frames in which nothing is found",
    "frame_rate": "share of the frame rate",
}
_DRAWN: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "macro_f1")
_CLEAN_SERIES = 5
_NOTES = (
    "Perturbations are made in image coordinates, before the normalisation, which may undo them: "
    "a signing space knows no scale and no translation.",
    "Joints that leave the picture stay known. In the field, a detector would lose them, too.",
    "Intervals are over signers: people are drawn again with all their clips (bootstrap), for a "
    "change the same people in both.",
    "The checkpoint was not trained for any of this, unless its augmentation has the like.",
)


def points_table(record: RobustnessRecord) -> Table:
    """The clean clips, then each kind at each strength."""
    columns = [Column("perturbation"), Column("accuracy", "percent"), Column("change", "points")]
    columns.append(Column("its 95 %"))
    columns += [Column(METRIC_NAMES[name].split()[0], "percent") for name in _DRAWN[1:]]
    rows: list[list[Value]] = [["clean", record.clean["accuracy"].value, None, None]]
    rows[0] += [record.clean[name].value for name in _DRAWN[1:]]
    for one in record.points:
        found = one.metrics["accuracy"]
        change = found.change_over_signers
        rows.append(
            [
                f"{_name(one.kind)} {one.strength:g}",
                found.value,
                found.change,
                None if change is None else f"{points(change.low)}, {points(change.high)}",
                *(one.metrics[name].value for name in _DRAWN[1:]),
            ]
        )
    people = "1 signer" if record.num_signers == 1 else f"{record.num_signers} signers"
    caption = f"{record.num_clips:,} test clips of {people}, in %; changes in points, over signers"
    return Table(columns, rows, caption, sortable=True, markdown_rows=len(rows))


def robustness_document(record: RobustnessRecord) -> Document:
    """The whole report."""
    result: list[Block] = [Paragraph(_headline(record), "headline"), points_table(record)]
    facts: list[list[Value]] = [
        ["checkpoint", record.checkpoint],
        ["its sha256", record.sha256],
        ["corpus", f"{record.corpus}, fingerprint {record.fingerprint}"],
        ["test clips", f"{record.num_clips:,} of {record.num_signers} signers, {record.split}"],
        ["seed", record.seed],
        ["width of the pictures over their height", record.picture_aspect],
    ]
    settings = Table([Column("what"), Column("value")], facts)
    sections = [
        Section("result", "Result", result),
        Section("curves", "Curves", [*_figures(record)]),
        Section("how", "How it was measured", [Bullets([*_NOTES]), settings]),
    ]
    subtitle = f"{record.corpus} · {record.num_clips:,} test clips · {record.num_glosses} glosses"
    return Document("Robustness", subtitle, sections)


def _headline(record: RobustnessRecord) -> str:
    clean = record.clean["accuracy"]
    worst = {one.kind: _worst(record, one.kind) for one in record.points}
    falls = ", ".join(
        f"{points(one.metrics['accuracy'].change)} at {_name(one.kind)} {one.strength:g}"
        for one in sorted(worst.values(), key=lambda one: one.metrics["accuracy"].change)
    )
    people = clean.over_signers
    told = "" if people is None else f" ({_told(people)} % over signers)"
    return (
        f"Accuracy {percent(clean.value)} on clean clips{told}. Worst of each kind, in points: "
        f"{falls}."
    )


def _worst(record: RobustnessRecord, kind: str) -> RobustnessPoint:
    own = [one for one in record.points if one.kind == kind]
    return min(own, key=lambda one: one.metrics["accuracy"].change)


def _figures(record: RobustnessRecord) -> list[Figure]:
    found = []
    for kind in CLEAN:
        own = [one for one in record.points if one.kind == kind]
        if len(own) > 1:
            found.append(_curves(record, kind, own))
    return found


def _curves(record: RobustnessRecord, kind: Kind, own: list[RobustnessPoint]) -> Figure:
    """Each metric over the strengths, the clean figure at the strength that changes nothing."""
    by_strength = {one.strength: one.metrics for one in own}
    clean = CLEAN[kind]
    places = sorted({clean, *by_strength})
    at = [record.clean if one == clean else by_strength[one] for one in places]
    drawn = [
        Line(
            METRIC_NAMES[name],
            [(x, found[name].value) for x, found in zip(places, at, strict=True)],
            series,
        )
        for series, name in enumerate(_DRAWN)
    ]
    for end in ("low", "high"):
        people = [found["accuracy"].over_signers for found in at]
        edge = [(x, getattr(one, end)) for x, one in zip(places, people, strict=True) if one]
        if edge:
            drawn.append(Line("accuracy, 95 % over signers", edge, 0, faint=True))
    level = record.clean["accuracy"].value
    drawn.append(
        Line(
            "accuracy, clean",
            [(places[0], level), (places[-1], level)],
            _CLEAN_SERIES,
            marks=False,
        )
    )
    alt = f"Metrics on the test set by {_name(kind)}"
    return Figure(kind, lines(drawn, alt, _AXES[kind], "share right", True), f"{alt}.")


def _name(kind: str) -> str:
    return kind.replace("_", " ")


def _told(span: Span) -> str:
    return f"{100 * span.low:.1f} to {100 * span.high:.1f}"
