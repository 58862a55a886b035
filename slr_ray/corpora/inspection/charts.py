"""Charts of an inspection: who signed what, what is missing, how long clips are."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from slr_ray.corpora.inspection.inspection import Inspection
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


def gloss_by_signer_chart(inspection: Inspection) -> bytes:
    """A heat map of clips, most frequent glosses at the top, as PNG; white where there are none."""
    counts = np.array(inspection.clips_per_gloss_and_signer, float).reshape(
        -1, len(inspection.signers)
    )
    glosses = [*inspection.glosses]
    unlabelled = np.array(inspection.unlabelled_per_signer, float)
    if unlabelled.any():
        counts, glosses = np.vstack([counts, unlabelled]), [*glosses, "(no gloss)"]
    rows = np.argsort(-counts.sum(axis=1), kind="stable")[:_MAX_GLOSSES]
    columns = np.argsort(-counts.sum(axis=0), kind="stable")[:_MAX_SIGNERS]
    shown = counts[np.ix_(rows, columns)]
    figure, axes = _figure(2.6 + 0.19 * len(columns), 1.6 + 0.22 * len(rows))
    axes.set_facecolor("white")
    image = axes.imshow(np.where(shown > 0, shown, np.nan), aspect="auto", cmap="YlGnBu", vmin=0)
    axes.set_yticks(range(len(rows)), [glosses[row] for row in rows], fontsize=8)
    _signer_ticks(axes, [inspection.signers[column] for column in columns])
    _grid(axes, *shown.shape)
    hidden = [
        f"{total - shown_of:,} more {name}"
        for total, shown_of, name in (
            (len(glosses), len(rows), "glosses"),
            (len(inspection.signers), len(columns), "signers"),
        )
        if total > shown_of
    ]
    note = f" ({' and '.join(hidden)} not shown)" if hidden else ""
    axes.set_title(f"Clips by gloss and signer{note}", loc="left", fontsize=10)
    _colour_bar(figure, axes, image, "clips")
    return _png(figure)


def missing_joints_chart(inspection: Inspection) -> bytes:
    """A heat map of the share of frames without a joint, by part and signer, as PNG."""
    reports = sorted(inspection.signer_reports, key=lambda one: -one.num_clips)[:_MAX_SIGNERS]
    missing = np.array([one.missing_per_joint for one in reports])
    shares = np.stack(
        [missing[:, [INDEX[joint] for joint in joints]].mean(axis=1) for joints in _GROUPS.values()]
    )
    figure, axes = _figure(2.6 + 0.19 * len(reports), 1.6 + 0.26 * len(_GROUPS))
    image = axes.imshow(shares, aspect="auto", cmap="Oranges", vmin=0, vmax=1)
    axes.set_yticks(range(len(_GROUPS)), list(_GROUPS), fontsize=8)
    _signer_ticks(axes, [one.signer for one in reports])
    _grid(axes, *shares.shape)
    axes.set_title("Missing joints by signer", loc="left", fontsize=10)
    _colour_bar(figure, axes, image, "share missing")
    return _png(figure)


def frame_lengths_chart(inspection: Inspection) -> bytes:
    """A histogram of frames a clip, as PNG."""
    lengths = inspection.lengths
    edges = np.array(lengths.bin_edges)
    figure, axes = _figure(6.4, 2.8)
    bars = axes.bar(
        edges[:-1], lengths.counts, np.diff(edges) * 0.92, align="edge", color="#0072b2"
    )
    labels = [f"{count:,}" if count else "" for count in lengths.counts]
    axes.bar_label(bars, labels, fontsize=7, color="#555")
    axes.set_xlabel("frames", fontsize=8)
    axes.set_ylabel("clips", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.margins(y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"Length of clips (median {lengths.median:g} frames)", loc="left", fontsize=10)
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    # Not through pyplot: it keeps every figure, and asks for a display.
    figure = Figure(figsize=(max(width, 5.0), max(height, 2.4)), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _signer_ticks(axes: Axes, signers: list[str]) -> None:
    longest = max(len(signer) for signer in signers)
    axes.set_xticks(
        range(len(signers)),
        signers,
        rotation=90 if len(signers) * longest > 40 else 0,
        fontsize=7,
    )


def _grid(axes: Axes, num_rows: int, num_columns: int) -> None:
    axes.set_xticks(np.arange(num_columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(num_rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e4e4e8", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _colour_bar(figure: Figure, axes: Axes, image: AxesImage, label: str) -> None:
    bar = figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
