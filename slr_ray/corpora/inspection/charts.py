"""Charts of an inspection: who signed what, what is missing, how long clips are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slr_ray.corpora.inspection.inspection import Inspection
from slr_ray.documents.charts import BarSeries, histogram
from slr_ray.documents.document import Figure
from slr_ray.documents.matrices import Cell, heat_map
from slr_ray.poses.clip import UNKNOWN
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
    """A heat map of clips, most frequent glosses at the top; nothing where there are none."""
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
            f"{names[row]}, {signers[column]}: {shown[row, column]:,} clips",
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
    drawing = heat_map(
        names, signers, cells, "Clips by gloss and signer", ("gloss", "signer"), _size(signers)
    )
    return Figure("gloss_by_signer", drawing, f"Clips by gloss and signer{note}.")


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


def frame_lengths_chart(inspection: Inspection) -> Figure:
    """A histogram of frames a clip."""
    lengths = inspection.lengths
    drawing = histogram(
        [BarSeries("clips", lengths.counts, 3)],
        "Clips by their number of frames",
        "frames",
        (lengths.bin_edges[0], lengths.bin_edges[-1]),
    )
    return Figure("frame_lengths", drawing, f"Clips by length; median {lengths.median:g} frames.")


def _size(columns: Sequence[str]) -> float:
    """Of a cell: as large as the page's width allows, but its name is still to be read."""
    return max(14.0, min(34.0, 780 / len(columns)))
