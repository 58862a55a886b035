"""An inspection as files: pictures, statistics.json and one page that holds everything."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.inspection.charts import (
    gloss_by_signer_chart,
    length_charts,
    missing_joints_chart,
    signed_chart,
)
from slr_ray.corpora.inspection.duplicates import Duplicates
from slr_ray.corpora.inspection.footage import Footage
from slr_ray.corpora.inspection.inspection import Inspection
from slr_ray.corpora.inspection.tables import (
    gloss_table,
    overview_table,
    shared_table,
    signer_table,
    signer_text,
    suspicions,
)
from slr_ray.documents.document import (
    Beside,
    Block,
    Column,
    Document,
    Paragraph,
    Picture,
    Section,
    Table,
    Value,
)
from slr_ray.documents.html import to_html
from slr_ray.errors import DataError, StorageError
from slr_ray.poses.clip import UNKNOWN, Clip
from slr_ray.poses.drawing import animation, draw_strip
from slr_ray.storage import Store
from slr_ray.videos.frames.source import ExtractionFailed

_NUM_TYPICAL = 6


def write_page(
    corpus: Corpus,
    inspection: Inspection,
    folder: Path,
    chosen: Sequence[int] = (),
    footage: Mapping[str, Footage] | None = None,
) -> tuple[Path, dict[str, str]]:
    """Write index.html, statistics.json, the charts, and a strip and an animation of some clips.

    `chosen` are indices of clips; without them up to six are drawn, of different glosses and
    signers. A clip with `footage` (by clip id) is drawn over its video too; a video that can't be
    read is named on the page. Returns the path of the page, and why clips were not drawn over their
    video, by clip id. Raises `StorageError` where the folder can't be written.
    """
    blocks: list[Block] = []
    notes = {}
    for index in chosen or typical_clips(corpus):
        clip = corpus.clip(index)
        filmed, note = _filmed(clip, (footage or {}).get(clip.clip_id))
        blocks += [*_drawn(clip), *filmed]
        if note:
            blocks.append(Paragraph(note, "warning"))
            notes[clip.clip_id] = note
    document = _document(inspection, blocks)
    files = document.files()
    files["statistics.json"] = (inspection.model_dump_json(indent=1) + "\n").encode()
    files["index.html"] = to_html(document).encode()
    store = Store(str(folder))
    try:
        for name, content in files.items():
            store.write_bytes(name, content)
    except OSError as error:
        raise StorageError(
            f"cannot write to {str(folder)!r}: {error.strerror or error}; choose another --out"
        ) from None
    return folder / "index.html", notes


def _drawn(clip: Clip) -> list[Block]:
    """What a clip is, and its frames as a strip and moving."""
    name = _file_name(clip.clip_id)
    strip = io.BytesIO()
    draw_strip(clip).save(strip, format="PNG", optimize=True)
    rate = "" if clip.fps is None else f" at {clip.fps:g} a second"
    caption = (
        f"{clip.clip_id} · {clip.gloss or _sentence(clip)} · {signer_text(clip.signer)} · "
        f"{clip.num_frames} frames{rate}"
    )
    pictures = [
        Picture(f"clips/{name}.png", strip.getvalue(), "frames of the clip"),
        Picture(f"clips/{name}.gif", animation(clip), "the clip, moving"),
    ]
    chart = signed_chart(clip, f"clips/{name}-glosses")
    return [Paragraph(caption), Beside(pictures), *([chart] if chart else [])]


def _sentence(clip: Clip) -> str:
    known = clip.sentence
    if known is None:
        return "no gloss"
    return " ".join(known.glosses) + (f" ({known.text})" if known.text else "")


def _filmed(clip: Clip, footage: Footage | None) -> tuple[list[Block], str]:
    """The clip drawn over its video, or else why not."""
    if footage is None:
        return [], ""
    # PyAV is loaded only where there is a video to show.
    from slr_ray.videos.detection.overlay import draw_overlay
    from slr_ray.videos.frames.fetching import fetched

    try:
        with fetched(footage.video) as video:
            overlay = draw_overlay(clip, video, footage.target_fps)
    except ExtractionFailed as error:
        return [], f"not drawn over its video: {error}. Pass --video FILE if it is elsewhere"
    name = f"clips/{_file_name(clip.clip_id)}-video"
    pictures = [
        Picture(f"{name}.png", overlay.sheet, "joints over frames of the video"),
        Picture(f"{name}.gif", overlay.animation, "joints over the video, moving"),
    ]
    return [Beside(pictures)], ""


def typical_clips(corpus: Corpus) -> list[int]:
    """Up to six clips, one a gloss, of signers as different as they come."""
    groups = np.unique(corpus.gloss_index)
    picked = groups[np.linspace(0, len(groups) - 1, min(len(groups), _NUM_TYPICAL)).astype(int)]
    chosen: list[int] = []
    signers: set[int] = set()
    for gloss in picked:
        members = np.flatnonzero(corpus.gloss_index == gloss)
        unseen = members[~np.isin(corpus.signer_index[members], list(signers))]
        index = int((unseen if len(unseen) else members)[0])
        chosen.append(index)
        signers.add(int(corpus.signer_index[index]))
    if len(groups) == 1:
        spread = np.linspace(0, corpus.num_clips - 1, min(corpus.num_clips, _NUM_TYPICAL))
        return [int(index) for index in spread]
    return chosen


def find_clips(corpus: Corpus, clip_ids: Iterable[str]) -> list[int]:
    """The indices of clips by their ids; `DataError` on one that the corpus does not have."""
    found = []
    for clip_id in clip_ids:
        index = pc.index(corpus.clip_ids, pa.scalar(clip_id, pa.string())).as_py()
        if index < 0:
            raise DataError(
                f"no clip {clip_id!r} in {corpus.name}; its first is {corpus.clip_ids[0].as_py()!r}"
            )
        found.append(int(index))
    return found


def _file_name(clip_id: str) -> str:
    """A name for any file system: two ids that differ in odd characters only stay apart."""
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in clip_id)[:80]
    if plain == clip_id:
        return plain
    return f"{plain}-{hashlib.sha256(clip_id.encode()).hexdigest()[:8]}"


def _document(inspection: Inspection, clips: list[Block]) -> Document:
    warnings = [*inspection.warnings, *suspicions(inspection)]
    overview = overview_table(inspection)
    provenance = ", ".join(str(one) for one in inspection.provenance) or "not recorded"
    overview.rows.extend([["provenance", provenance], ["fingerprint", inspection.fingerprint]])
    note = (
        "Left hand blue, right hand orange; pale where the detector was unsure. Drawn as from a "
        "4:3 camera."
    )
    sections = [
        Section("summary", "Summary", [*(Paragraph(one, "warning") for one in warnings), overview]),
        Section(
            "glosses",
            "Glosses and signers",
            [gloss_by_signer_chart(inspection), gloss_table(inspection)],
        ),
        Section("signers", "Signers", [missing_joints_chart(inspection), signer_table(inspection)]),
        Section("lengths", "Length of clips", [*length_charts(inspection)]),
        Section("clips", "Clips", [Paragraph(note, "note"), *clips]),
        Section("duplicates", "Duplicates", _duplicates(inspection.duplicates)),
    ]
    if inspection.skipped:
        rows: list[list[Value]] = [
            [one["clip_id"], one["source"], one["reason"]] for one in inspection.skipped
        ]
        table = Table([Column("clip", "code"), Column("file", "code"), Column("reason")], rows)
        sections.append(Section("skipped", "Skipped clips", [table]))
    subtitle = f"{inspection.num_clips:,} clips · {inspection.num_frames:,} frames"
    return Document(f"Inspection of {inspection.name}", subtitle, sections)


def _duplicates(same: Duplicates) -> list[Block]:
    if not (same.identical or same.between_signers or same.within_signers):
        return [Paragraph("No clip and no frame occurs in two clips.")]
    rows: list[list[Value]] = [
        [
            ", ".join(one.clip_ids),
            ", ".join(signer or UNKNOWN for signer in one.signers),
            ", ".join(gloss or "no gloss" for gloss in one.glosses),
        ]
        for one in same.identical
    ]
    columns = [Column("clips", "code"), Column("signers"), Column("glosses")]
    tables = [
        Table(columns, rows, "Identical clips"),
        shared_table([*same.between_signers, *same.within_signers]),
    ]
    return [one for one in tables if one.rows]
