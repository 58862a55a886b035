"""An inspection as tables in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from slr_ray.corpora.inspection.inspection import Inspection

_MAX_ROWS = 40


def print_inspection(inspection: Inspection, console: Console | None = None) -> None:
    """Print counts, missing joints, duplicates and warnings."""
    console = console or Console()
    console.print(_overview(inspection))
    if inspection.glosses:
        console.print(_glosses(inspection))
    console.print(_signers(inspection))
    if inspection.duplicates.between_signers:
        console.print(_shared(inspection))
    for one in inspection.skipped[:_MAX_ROWS]:
        console.print(f"skipped {one['clip_id']}: {one['reason']}", style="yellow", markup=False)
    for report in inspection.signer_reports:
        for suspicion in report.suspicious:
            console.print(f"signer {report.signer}: {suspicion}", style="yellow", markup=False)
    for warning in inspection.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)


def _overview(inspection: Inspection) -> Table:
    table = Table(show_header=False, title=inspection.name, title_justify="left")
    for name, value in overview_rows(inspection):
        table.add_row(name, value)
    return table


def overview_rows(inspection: Inspection) -> list[tuple[str, str]]:
    """The numbers of the whole corpus, as text."""
    lengths, missing, same = inspection.lengths, inspection.missing, inspection.duplicates
    rates = ", ".join(
        f"unknown ({count:,} clips)" if rate == "unknown" else f"{rate} ({count:,} clips)"
        for rate, count in inspection.frame_rates.items()
    )
    return [
        ("clips", f"{inspection.num_clips:,} ({inspection.num_unlabelled:,} without gloss)"),
        ("glosses", f"{len(inspection.glosses):,}"),
        ("signers", f"{len(inspection.signers):,}"),
        ("frames", f"{inspection.num_frames:,}"),
        (
            "frames a clip",
            f"{lengths.shortest} to {lengths.longest}, median {lengths.median:g}",
        ),
        ("frames a second", rates),
        ("missing body joints", f"{missing.body:.1%}"),
        ("missing left hand", f"{missing.left_hand:.1%}"),
        ("missing right hand", f"{missing.right_hand:.1%}"),
        ("frames without a hand", f"{missing.both_hands:.1%}"),
        (
            "identical clips",
            f"{same.num_identical_clips:,} ({same.num_identical_across_signers:,} sets across "
            f"signers, {same.num_identical_across_glosses:,} across glosses)",
        ),
        ("signers that share frames", f"{len(same.between_signers):,} pairs"),
        ("skipped", f"{len(inspection.skipped):,}"),
    ]


def _glosses(inspection: Inspection) -> Table:
    table = Table(
        "gloss", _right("clips"), _right("signers"), title="Glosses", title_justify="left"
    )
    rows = zip(inspection.glosses, inspection.clips_per_gloss_and_signer, strict=True)
    ordered = sorted(rows, key=lambda row: -sum(row[1]))
    for gloss, counts in ordered[:_MAX_ROWS]:
        table.add_row(gloss, f"{sum(counts):,}", str(sum(count > 0 for count in counts)))
    if len(ordered) > _MAX_ROWS:
        table.add_row(f"... {len(ordered) - _MAX_ROWS} more", "", "")
    return table


def _signers(inspection: Inspection) -> Table:
    table = Table(
        "signer",
        *(_right(name) for name in ("clips", "glosses", "body", "left", "right", "no hand")),
        "hand",
        title="Signers (shares of joints missing)",
        title_justify="left",
    )
    for column, report in enumerate(inspection.signer_reports[:_MAX_ROWS]):
        counts = [row[column] for row in inspection.clips_per_gloss_and_signer]
        table.add_row(
            report.signer,
            f"{report.num_clips:,}",
            str(sum(count > 0 for count in counts)),
            f"{report.missing_body:.0%}",
            f"{report.missing_left_hand:.0%}",
            f"{report.missing_right_hand:.0%}",
            f"{report.missing_both_hands:.0%}",
            report.dominant_hand or "both",
        )
    hidden = inspection.signer_reports[_MAX_ROWS:]
    if hidden:
        table.add_row(f"... {len(hidden)} more")
    return table


def _shared(inspection: Inspection) -> Table:
    table = Table(
        "signers", _right("frames"), _right("clips"), title="Shared frames", title_justify="left"
    )
    for pair in inspection.duplicates.between_signers[:_MAX_ROWS]:
        table.add_row(f"{pair.first}, {pair.second}", f"{pair.num_frames:,}", f"{pair.num_clips:,}")
    return table


def _right(name: str) -> Column:
    return Column(name, justify="right")
