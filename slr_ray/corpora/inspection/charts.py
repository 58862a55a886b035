"""Charts of an inspection: who signed what, and when; what is missing; how long clips are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slr_ray.corpora.inspection.inspection import Inspection
from slr_ray.corpora.inspection.lengths import Lengths
from slr_ray.documents.charts import BarSeries, histogram
from slr_ray.documents.document import Figure
from slr_ray.documents.gloss_lanes import Signed, gloss_lanes
from slr_ray.documents.matrices import Cell, heat_map
from slr_ray.poses.clip import UNKNOWN, Clip
from slr_ray.poses.skeleton import HAND_JOINTS, INDEX

_MAX_GLOSSES = 60
_MAX_SIGNERS = 100
_GROUPS: dict[str, tuple[str, ...]] = {
    "nose": ("nose",),
    "eyes": ("leftEye", "rightEye"),
    "ears": ("leftEar", "rightEar"),
    "neck": ("neck",),
    "shoulders": ("leftShoulder", "rightShoulder"),
    "elbows": ("leftElbow", "rightElbow"),
    "wrists": ("leftWrist", "rightWrist"),
    "left hand": tuple(f"{joint}_0" for joint in HAND_JOINTS),
    "right hand": tuple(f"{joint}_1" for joint in HAND_JOINTS),
}


def gloss_by_signer_chart(inspection: Inspection) -> Figure:
    """A heat map of clips, or of what sentences hold, most frequent glosses at the top."""
    what = "Clips" if inspection.sentences is None else "Times signed"
    counts = np.array(inspection.clips_per_gloss_and_signer, int).reshape(
        -1, len(inspection.signers)
    )
    glosses = [*inspection.glosses]
    unlabelled = np.array(inspection.unlabelled_per_signer, int)
    if unlabelled.any():
        counts, glosses = np.vstack([counts, unlabelled]), [*glosses, "(no gloss)"]
    rows = np.argsort(-counts.sum(axis=1), kind="stable")[:_MAX_GLOSSES]
    columns = np.argsort(-counts.sum(axis=0), kind="stable")[:_MAX_SIGNERS]
    shown = counts[np.ix_(rows, columns)]
    names = [glosses[row] for row in rows]
    signers = [inspection.signers[column] or UNKNOWN for column in columns]
    cells = {
        (row, column): Cell(
            shown[row, column] / shown.max(),
            f"{names[row]}, {signers[column]}: {shown[row, column]:,} {what.lower()}",
            f"{shown[row, column]}",
        )
        for row, column in np.argwhere(shown).tolist()
    }
    hidden = [
        f"{total - shown_of:,} more {name}"
        for total, shown_of, name in (
            (len(glosses), len(rows), "glosses"),
            (len(inspection.signers), len(columns), "signers"),
        )
        if total > shown_of
    ]
    note = f"; {' and '.join(hidden)} not shown" if hidden else ""
    alt = f"{what} by gloss and signer"
    drawing = heat_map(names, signers, cells, alt, ("gloss", "signer"), _size(signers))
    return Figure("gloss_by_signer", drawing, f"{alt}{note}.")


def missing_joints_chart(inspection: Inspection) -> Figure:
    """A heat map of the share of frames without a joint, by part and signer."""
    reports = sorted(inspection.signer_reports, key=lambda one: -one.num_clips)[:_MAX_SIGNERS]
    cells = {}
    for row, (part, joints) in enumerate(_GROUPS.items()):
        for column, report in enumerate(reports):
            share = float(np.mean([report.missing_per_joint[INDEX[joint]] for joint in joints]))
            if share > 0:
                title = f"{part}, {report.signer or UNKNOWN}: {share:.1%} missing"
                cells[row, column] = Cell(share, title, f"{100 * share:.0f}", 1)
    signers = [one.signer or UNKNOWN for one in reports]
    alt = "Share of frames without a joint, by part and signer"
    drawing = heat_map(list(_GROUPS), signers, cells, alt, ("", "signer"), _size(signers))
    return Figure("missing_joints", drawing, f"{alt}, in %.")


def length_charts(inspection: Inspection) -> list[Figure]:
    """A histogram of frames a clip, and one of glosses a sentence where clips are sentences."""
    found = [_lengths_chart("frame_lengths", inspection.lengths, "clips", "frames")]
    if inspection.sentences is not None:
        lengths = inspection.sentences.lengths
        found.append(_lengths_chart("gloss_lengths", lengths, "sentences", "glosses"))
    return found


def _lengths_chart(name: str, lengths: Lengths, what: str, unit: str) -> Figure:
    drawing = histogram(
        [BarSeries(what, lengths.counts, 3)],
        f"{what.capitalize()} by their number of {unit}",
        unit,
        (lengths.bin_edges[0], lengths.bin_edges[-1]),
    )
    caption = f"{what.capitalize()} by length; median {lengths.median:g} {unit}."
    return Figure(name, drawing, caption)


def signed_chart(clip: Clip, name: str) -> Figure | None:
    """When each gloss of a sentence is signed; None where nobody knows."""
    if clip.sentence is None or clip.sentence.times is None:
        return None
    # Two colours by turns, for a gloss may begin where the one before it ends.
    signed = [
        Signed(gloss, start, end, 1 + place % 2)
        for place, (gloss, (start, end)) in enumerate(
            zip(clip.sentence.glosses, clip.sentence.times, strict=True)
        )
    ]
    alt = f"Glosses of {clip.clip_id} over its frames"
    return Figure(name, gloss_lanes({"glosses": signed}, clip.num_frames, alt))


def _size(columns: Sequence[str]) -> float:
    """Of a cell: as large as the page's width allows, but its name is still to be read."""
    return max(14.0, min(34.0, 780 / len(columns)))
