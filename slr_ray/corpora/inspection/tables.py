"""The tables of an inspection, for its page and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from slr_ray.console import literal_console
from slr_ray.corpora.inspection.duplicates import SharedFrames
from slr_ray.corpora.inspection.inspection import Inspection
from slr_ray.corpora.inspection.sentence_report import SentenceReport
from slr_ray.documents.document import Column, Table, Value
from slr_ray.documents.terminal import terminal_table
from slr_ray.poses.clip import UNKNOWN

_MAX_ROWS = 40


def print_inspection(inspection: Inspection, console: Console | None = None) -> None:
    """Print counts, missing joints, duplicates and warnings."""
    console = console or literal_console()
    tables = [overview_table(inspection), gloss_table(inspection), signer_table(inspection)]
    tables.append(shared_table(inspection.duplicates.between_signers))
    for table in tables:
        if table.rows:
            console.print(terminal_table(table, _MAX_ROWS))
    for one in inspection.skipped[:_MAX_ROWS]:
        console.print(f"skipped {one['clip_id']}: {one['reason']}", style="yellow")
    for warning in [*suspicions(inspection), *inspection.warnings]:
        console.print(f"warning: {warning}", style="yellow")


def signer_text(signer: str | None) -> str:
    """How a sentence about a signer's clips begins."""
    return UNKNOWN if signer is None else f"signer {signer}"


def _num_signers(inspection: Inspection) -> str:
    unknown = [one.num_clips for one in inspection.signer_reports if one.signer is None]
    told = f" ({sum(unknown):,} clips of unknown signers)" if unknown else ""
    return f"{len(inspection.signers) - len(unknown):,}{told}"


def suspicions(inspection: Inspection) -> list[str]:
    """What looks wrong with a signer's clips, in a line each."""
    return [
        f"{signer_text(report.signer)}: {suspicion}"
        for report in inspection.signer_reports
        for suspicion in report.suspicious
    ]


def overview_table(inspection: Inspection) -> Table:
    """The numbers of the whole corpus."""
    lengths, missing, same = inspection.lengths, inspection.missing, inspection.duplicates
    rates = ", ".join(
        f"unknown ({count:,} clips)" if rate == "unknown" else f"{rate} ({count:,} clips)"
        for rate, count in inspection.frame_rates.items()
    )
    rows: list[list[Value]] = [
        ["clips", f"{inspection.num_clips:,} ({inspection.num_unlabelled:,} without gloss)"],
        ["glosses", f"{len(inspection.glosses):,}"],
        *_sentence_rows(inspection.sentences),
        ["signers", _num_signers(inspection)],
        ["frames", f"{inspection.num_frames:,}"],
        ["frames a clip", f"{lengths.shortest} to {lengths.longest}, median {lengths.median:g}"],
        ["frames a second", rates],
        ["missing body joints", f"{missing.body:.1%}"],
        ["missing left hand", f"{missing.left_hand:.1%}"],
        ["missing right hand", f"{missing.right_hand:.1%}"],
        ["frames without a hand", f"{missing.both_hands:.1%}"],
        [
            "identical clips",
            f"{same.num_identical_clips:,} ({same.num_identical_across_signers:,} sets across "
            f"signers, {same.num_identical_across_glosses:,} across glosses)",
        ],
        ["signers that share frames", f"{len(same.between_signers):,} pairs"],
        ["skipped", f"{len(inspection.skipped):,}"],
    ]
    return Table([Column("what"), Column("value")], rows, inspection.name)


def _sentence_rows(report: SentenceReport | None) -> list[list[Value]]:
    if report is None:
        return []
    lengths, rate = report.lengths, report.glosses_a_second
    return [
        ["glosses signed", f"{report.num_signed:,} ({report.num_signed_once:,} glosses only once)"],
        ["different sentences", f"{report.num_sequences:,}"],
        [
            "glosses a sentence",
            f"{lengths.shortest} to {lengths.longest}, median {lengths.median:g}",
        ],
        ["glosses a second", "unknown" if rate is None else f"median {rate:.2g}"],
        ["sentences with times", f"{report.num_timed:,}"],
        ["sentences too short", f"{report.num_too_short:,}"],
    ]


def gloss_table(inspection: Inspection) -> Table:
    """Glosses, the most frequent first."""
    known = [signer is not None for signer in inspection.signers]
    rows: list[list[Value]] = []
    counted = zip(inspection.glosses, inspection.clips_per_gloss_and_signer, strict=True)
    for gloss, counts in counted:
        signing = sum(count > 0 and is_known for count, is_known in zip(counts, known, strict=True))
        rows.append([gloss, sum(counts), signing])
    rows.sort(key=lambda row: -int(row[1] or 0))
    counted_as = "clips" if inspection.sentences is None else "times"
    columns = [Column("gloss"), Column(counted_as, "count"), Column("signers", "count")]
    return Table(columns, rows, "Glosses", sortable=True)


def signer_table(inspection: Inspection) -> Table:
    """What each signer has, and what was not found."""
    counts = zip(*inspection.clips_per_gloss_and_signer, strict=True)
    num_glosses = [sum(count > 0 for count in one) for one in counts]
    rows: list[list[Value]] = [
        [
            one.signer or UNKNOWN,
            one.num_clips,
            num_glosses[index] if num_glosses else 0,
            one.missing_body,
            one.missing_left_hand,
            one.missing_right_hand,
            one.missing_both_hands,
            one.signing_hand,
        ]
        for index, one in enumerate(inspection.signer_reports)
    ]
    columns = [Column("signer"), Column("clips", "count"), Column("glosses", "count")]
    columns += [
        Column(f"{name}, %", "percent") for name in ("body", "left hand", "right hand", "no hand")
    ]
    caption = "Signers: joints missing, frames without a hand, and the hand that signs"
    return Table([*columns, Column("hand")], rows, caption, sortable=True)


def shared_table(pairs: Sequence[SharedFrames]) -> Table:
    """Signers whose clips have frames in common."""
    rows: list[list[Value]] = [
        [
            one.first if one.first == one.second else f"{one.first}, {one.second or UNKNOWN}",
            one.num_frames,
            one.num_clips,
        ]
        for one in pairs
    ]
    columns = [Column("signers"), Column("frames", "count"), Column("clips", "count")]
    return Table(columns, rows, "Shared frames", sortable=True)
