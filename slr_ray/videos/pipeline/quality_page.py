"""The quality report for people: one HTML page, and a summary for the terminal."""

from __future__ import annotations

import shlex

from rich.console import Console

from slr_ray.documents.charts import BarSeries, grouped_bars, histogram
from slr_ray.documents.document import (
    Block,
    Code,
    Column,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.documents.html import to_html
from slr_ray.documents.terminal import terminal_table
from slr_ray.durations import duration
from slr_ray.videos.pipeline.quality import GroupQuality, QualityReport

_NUM_CHARTED = 30
_NUM_PRINTED = 10
_NUM_BINS = 20


def page(report: QualityReport, out: str, shares_without_hands: list[float]) -> bytes:
    """The page; `shares_without_hands` are of all extracted clips, for the histogram."""
    overall = report.overall
    done = overall.num_clips - overall.num_failed
    sections = [
        Section("summary", "Summary", _summary(report, done)),
        Section("suspicious", "Look at these first", _suspicious(report, out)),
        Section("signers", "By signer", _by_signer(report)),
        Section("clips", "Frames without hands", _clips(shares_without_hands)),
        Section("splits", "By split", [_table(report.by_split, "split")]),
        Section("corpora", "By corpus", [_table(report.by_corpus, "corpus")]),
        Section("failures", "Failures", _failures(report)),
    ]
    subtitle = f"{out} · {done:,} of {overall.num_clips:,} clips · {overall.num_frames:,} frames"
    document = Document("How extraction went", subtitle, sections)
    return to_html(document).encode()


def print_quality(report: QualityReport, console: Console) -> None:
    """Shares, the most suspicious clips and every kind of failure, as few lines."""
    overall = report.overall
    if overall.num_frames:
        console.print(
            f"{overall.num_frames:,} frames: {_percent(overall.without_pose)} without a pose, "
            f"{_percent(overall.without_hands)} without hands",
            highlight=False,
        )
    if report.num_clips_with_damage:
        console.print(
            f"{report.num_clips_with_damage:,} clips have pictures that did not decode: "
            f"{report.num_undecoded_frames:,} gave no frame",
            highlight=False,
        )
    for table in (_suspicious_table(report), _failure_table(report)):
        if table.rows:
            console.print(terminal_table(table, _NUM_PRINTED))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _summary(report: QualityReport, done: int) -> list[Block]:
    overall = report.overall
    mood = "better" if not report.failed and not report.suspicious else "open"
    blocks: list[Block] = [
        Paragraph(
            f"{done:,} of {overall.num_clips:,} clips extracted, {len(report.failed):,} failed; "
            f"nobody found on {_percent(overall.without_pose)} of the frames, no hand on "
            f"{_percent(overall.without_hands)}.",
            "headline",
            mood,
        ),
        Paragraph(
            f"Workers spent {duration(report.inference_s)} on landmarks and "
            f"{duration(report.decoding_s)} on decoding, added up. A frame without a hand is often "
            "right: hands rest out of the picture before and after a sign.",
            "note",
        ),
    ]
    if report.num_clips_with_damage:
        blocks.append(
            Paragraph(
                f"{report.num_clips_with_damage:,} clips have pictures that did not decode "
                f"({report.num_undecoded_frames:,} gave no frame, as where a recording begins "
                "between two key frames); their other frames were extracted.",
                "warning",
            )
        )
    return blocks


def _suspicious(report: QualityReport, out: str) -> list[Block]:
    if not report.suspicious:
        return [Paragraph("No clip stands out.")]
    worst = report.suspicious[0].clip_id
    return [
        _suspicious_table(report),
        Paragraph("The skeleton over the frames of one:"),
        Code(f"python -m slr_ray.data inspect {shlex.quote(out)} --clip {shlex.quote(worst)}"),
    ]


def _suspicious_table(report: QualityReport) -> Table:
    rows: list[list[Value]] = [
        [one.clip_id, one.signer, one.gloss, one.score, "; ".join(one.why)]
        for one in report.suspicious
    ]
    columns = [Column("clip", "code"), Column("signer"), Column("gloss")]
    columns += [Column("score", "number"), Column("why")]
    caption = f"{report.num_suspicious:,} clips to look at, the worst first"
    return Table(columns, rows, caption, sortable=True)


def _by_signer(report: QualityReport) -> list[Block]:
    shown = [one for one in report.by_signer if one.num_frames][:_NUM_CHARTED]
    blocks: list[Block] = []
    if shown:
        drawing = grouped_bars(
            [one.name for one in shown],
            [
                BarSeries("without hands", [one.without_hands for one in shown], 1),
                BarSeries("without a pose", [one.without_pose for one in shown], 5),
            ],
            "share of frames without hands and without a pose by signer",
            "%",
        )
        more = len(report.by_signer) - len(shown)
        caption = "Share of frames" + (f"; {more} more signers in the table" if more else "")
        blocks.append(Figure("quality_by_signer", drawing, caption))
    return [*blocks, _table(report.by_signer, "signer")]


def _clips(shares: list[float]) -> list[Block]:
    if not shares:
        return [Paragraph("No clip was extracted.")]
    counts = [0] * _NUM_BINS
    for share in shares:
        counts[min(_NUM_BINS - 1, int(share * _NUM_BINS))] += 1
    all_missing = [0] * (_NUM_BINS - 1) + [sum(share == 1 for share in shares)]
    drawing = histogram(
        [BarSeries("clips", counts, 4), BarSeries("without a hand on any frame", all_missing, 3)],
        "clips by the share of their frames without hands",
        "share of a clip's frames without hands",
    )
    return [Figure("frames_without_hands", drawing)]


def _failures(report: QualityReport) -> list[Block]:
    if not report.failed:
        return [Paragraph("No clip failed.")]
    kinds = list(report.failures)
    drawing = grouped_bars(
        kinds,
        [BarSeries("clips", [report.failures[kind] for kind in kinds], 5)],
        "failed clips by kind",
        "",
    )
    return [
        Figure("failures", drawing),
        _failure_table(report),
        Paragraph("Try them again, once their videos are better, with --retry-failed.", "note"),
    ]


def _failure_table(report: QualityReport) -> Table:
    rows: list[list[Value]] = [
        [one.clip_id, one.kind, one.reason, one.path, one.attempts] for one in report.failed
    ]
    columns = [Column("clip", "code"), Column("kind"), Column("reason"), Column("path", "code")]
    counts = ", ".join(f"{kind} {count}" for kind, count in report.failures.items())
    caption = f"{len(report.failed):,} clips failed: {counts}"
    return Table([*columns, Column("attempts", "count")], rows, caption, sortable=True)


def _table(groups: list[GroupQuality], name: str) -> Table:
    columns = [Column(name), *(Column(one, "count") for one in ("clips", "failed", "frames"))]
    columns += [
        Column(f"without {one}, %", "percent")
        for one in ("pose", "hands", "left hand", "right hand")
    ]
    rows: list[list[Value]] = [
        [
            one.name,
            one.num_clips,
            one.num_failed,
            one.num_frames,
            one.without_pose,
            one.without_hands,
            one.without_left_hand,
            one.without_right_hand,
        ]
        for one in groups
    ]
    return Table(columns, rows, sortable=True)
