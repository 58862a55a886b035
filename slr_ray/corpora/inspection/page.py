"""An inspection as files: pictures, statistics.json and one page that holds everything."""

from __future__ import annotations

import base64
import hashlib
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.inspection.charts import (
    frame_lengths_chart,
    gloss_by_signer_chart,
    missing_joints_chart,
)
from slr_ray.corpora.inspection.footage import Footage
from slr_ray.corpora.inspection.inspection import Inspection
from slr_ray.corpora.inspection.tables import overview_rows
from slr_ray.errors import DataError, StorageError
from slr_ray.poses.clip import Clip
from slr_ray.poses.drawing import animation, draw_strip
from slr_ray.storage import Store
from slr_ray.videos.detection.source import ExtractionFailed

_NUM_TYPICAL = 6
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22242a; max-width: 1180px;
  margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em } img { max-width: 100% }
table { border-collapse: collapse; font-size: 14px }
th, td { padding: .2em .8em; border-bottom: 1px solid #e4e4e8; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.warning { background: #fff4e0; border-left: 4px solid #d55e00; padding: .4em .8em;
  margin: .4em 0 }
.clip { display: flex; gap: 1em; align-items: center; margin: .6em 0 }
.clip .strip { min-width: 0; flex: 1 } .clip .animation { width: 180px }
.scroll { overflow-x: auto }
.left { color: #0072b2 } .right { color: #d55e00 } .faint { color: #777 }
"""


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
    files = {
        "gloss_by_signer.png": gloss_by_signer_chart(inspection),
        "missing_joints.png": missing_joints_chart(inspection),
        "frame_lengths.png": frame_lengths_chart(inspection),
    }
    clips = []
    notes = {}
    for index in chosen or typical_clips(corpus):
        clip = corpus.clip(index)
        name = _file_name(clip.clip_id)
        strip = io.BytesIO()
        draw_strip(clip).save(strip, format="PNG", optimize=True)
        files[f"clips/{name}.png"] = strip.getvalue()
        files[f"clips/{name}.gif"] = animation(clip)
        rate = "" if clip.fps is None else f" at {clip.fps:g} a second"
        caption = (
            f"{clip.clip_id} · {clip.gloss or 'no gloss'} · signer {clip.signer} · "
            f"{clip.num_frames} frames{rate}"
        )
        filmed, note = _filmed(clip, (footage or {}).get(clip.clip_id))
        files |= {f"clips/{name}-video.{kind}": content for kind, content in filmed.items()}
        clips.append((caption, f"clips/{name}", note))
        if note:
            notes[clip.clip_id] = note
    files["statistics.json"] = (inspection.model_dump_json(indent=1) + "\n").encode()
    files["index.html"] = _page(inspection, files, clips).encode()
    store = Store(str(folder))
    try:
        for name, content in files.items():
            store.write_bytes(name, content)
    except OSError as error:
        raise StorageError(
            f"cannot write to {str(folder)!r}: {error.strerror or error}; choose another --out"
        ) from None
    return folder / "index.html", notes


def _filmed(clip: Clip, footage: Footage | None) -> tuple[dict[str, bytes], str]:
    """The clip drawn over its video, by kind of file, or else why not."""
    if footage is None:
        return {}, ""
    # PyAV is loaded only where there is a video to show.
    from slr_ray.videos.detection.fetching import fetched
    from slr_ray.videos.detection.overlay import draw_overlay

    try:
        with fetched(footage.video) as video:
            overlay = draw_overlay(clip, video, footage.target_fps)
    except ExtractionFailed as error:
        return {}, f"not drawn over its video: {error}. Pass --video FILE if it is elsewhere"
    return {"png": overlay.sheet, "gif": overlay.animation}, ""


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


def _page(
    inspection: Inspection, files: dict[str, bytes], clips: Sequence[tuple[str, str, str]]
) -> str:
    provenance = [
        ("provenance", ", ".join(str(one) for one in inspection.provenance) or "not recorded"),
        ("fingerprint", inspection.fingerprint),
    ]
    suspicions = [
        f"signer {report.signer}: {suspicion}"
        for report in inspection.signer_reports
        for suspicion in report.suspicious
    ]
    warnings = [*inspection.warnings, *suspicions]
    parts = [
        f"<h1>{html.escape(inspection.name)}</h1>",
        *(f'<p class="warning">{html.escape(text)}</p>' for text in warnings),
        _table([], [*overview_rows(inspection), *provenance]),
        "<h2>Glosses and signers</h2>",
        _image(files, "gloss_by_signer.png", "clips by gloss and signer"),
        "<h2>Missing joints</h2>",
        _image(files, "missing_joints.png", "share of missing joints by part and signer"),
        "<h2>Length of clips</h2>",
        _image(files, "frame_lengths.png", "histogram of frames a clip"),
        "<h2>Clips</h2>",
        '<p class="faint"><span class="left">Left hand blue</span>, <span class="right">right hand '
        "orange</span>; pale where the detector was unsure. Drawn as from a 4:3 camera.</p>",
    ]
    for caption, name, note in clips:
        parts.append(
            f"<p>{html.escape(caption)}</p><div class='clip'>"
            f"<div class='strip'>{_image(files, f'{name}.png', 'frames of the clip')}</div>"
            f"<div class='animation'>{_image(files, f'{name}.gif', 'the clip, moving')}</div></div>"
        )
        if f"{name}-video.png" in files:
            parts += [
                _image(files, f"{name}-video.png", "joints over frames of the video"),
                _image(files, f"{name}-video.gif", "joints over the video, moving"),
            ]
        if note:
            parts.append(f'<p class="warning">{html.escape(note)}</p>')
    parts += ["<h2>Signers</h2>", _signer_table(inspection), *_duplicate_tables(inspection)]
    if inspection.skipped:
        rows = [(one["clip_id"], one["source"], one["reason"]) for one in inspection.skipped]
        parts += ["<h2>Skipped clips</h2>", _table(["clip", "file", "reason"], rows)]
    title = html.escape(f"Inspection of {inspection.name}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _signer_table(inspection: Inspection) -> str:
    names = ["signer", "clips", "body missing", "left hand missing", "right hand missing"]
    names += ["no hand", "hand", "suspicious"]
    rows = [
        (
            one.signer,
            f"{one.num_clips:,}",
            f"{one.missing_body:.1%}",
            f"{one.missing_left_hand:.0%}",
            f"{one.missing_right_hand:.0%}",
            f"{one.missing_both_hands:.0%}",
            one.dominant_hand or "both",
            "; ".join(one.suspicious),
        )
        for one in inspection.signer_reports
    ]
    return _table(names, rows)


def _duplicate_tables(inspection: Inspection) -> list[str]:
    same = inspection.duplicates
    parts = ["<h2>Duplicates</h2>"]
    if not (same.identical or same.between_signers or same.within_signers):
        return [*parts, "<p>No clip and no frame occurs in two clips.</p>"]
    if same.identical:
        rows = [
            (
                ", ".join(one.clip_ids),
                ", ".join(one.signers),
                ", ".join(gloss or "no gloss" for gloss in one.glosses),
            )
            for one in same.identical
        ]
        parts.append(_table(["identical clips", "signers", "glosses"], rows))
    shared = [*same.between_signers, *same.within_signers]
    if shared:
        counts = [
            (
                one.first if one.first == one.second else f"{one.first}, {one.second}",
                f"{one.num_frames:,}",
                f"{one.num_clips:,}",
            )
            for one in shared
        ]
        parts.append(_table(["signers", "shared frames", "clips"], counts))
    return parts


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(f"<td{_kind(cell) if names else ''}>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<div class='scroll'><table><tr>{head}</tr>{body}</table></div>"


def _kind(cell: str) -> str:
    return ' class="number"' if cell.replace(",", "").replace(".", "").rstrip("%").isdigit() else ""


def _image(files: dict[str, bytes], name: str, text: str) -> str:
    kind = name.rsplit(".", 1)[1]
    content = base64.b64encode(files[name]).decode()
    return f'<img alt="{html.escape(text)}" src="data:image/{kind};base64,{content}">'
