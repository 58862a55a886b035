"""A table of the user's own: which glosses each clip has, maybe with their times.

JSON: a list of entries, or an object of them by name. An entry has `glosses` (or `gloss`), a list
or a text with spaces between glosses, and maybe `start_ms` and `end_ms`, a list each, `clip_id`,
`text`, `signer`, `split`, and `sentence_ms`, the length of the recording that the times belong to.
CSV: the same columns, lists with spaces between; or one row a gloss, as annotation tools such as
ELAN export them, with `clip_id`, `gloss`, `start_ms` and `end_ms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slr_ray.annotations.annotation import Annotation, Annotations, names_of
from slr_ray.errors import DataError
from slr_ray.text import Row, known, normal_name, read_json, read_table

_GLOSSES = ("glosses", "gloss")
_TEXTS = ("text", "translation", "german")
_USED = ("clip_id", "start_ms", "end_ms", "signer", "split", "sentence_ms", *_GLOSSES, *_TEXTS)

Entry = Mapping[str, Any]


def read_gloss_table(path: Path) -> Annotations:
    """The sentences of a .json or .csv file."""
    if not path.is_file():
        raise DataError(f"no such file: {str(path)!r}; a gloss table is a .json or .csv file")
    read = Annotations()
    is_json = path.suffix.lower() == ".json"
    entries = _from_json(path) if is_json else _from_csv(path, read)
    unused = sorted({key for _, entry in entries for key in entry} - set(_USED))
    if unused:
        read.notes.append(f"not used of {path.name}: {', '.join(unused)}")
    for where, entry in entries:
        name = normal_name(str(entry.get("clip_id") or ""))
        try:
            read.add(_annotation(name, where, entry))
        except (ValueError, TypeError) as error:
            read.broken_entry(where, name, str(error))
    read.check()
    return read


def _annotation(name: str, where: str, entry: Entry) -> Annotation:
    glosses = _list(_first(entry, _GLOSSES))
    for one in glosses:
        if type(one) not in (str, int):
            raise ValueError(
                f"its glosses hold {one!r}, expected texts; start_ms and end_ms are lists of their "
                "own"
            )
    starts, ends = (_list(entry.get(key)) for key in ("start_ms", "end_ms"))
    if len(starts) != len(ends):
        raise ValueError(f"start_ms has {len(starts)} values, end_ms {len(ends)}")
    times = tuple((float(one), float(other)) for one, other in zip(starts, ends, strict=True))
    length = known(str(entry.get("sentence_ms") or ""))
    return Annotation(
        name,
        where,
        names_of(str(one) for one in glosses),
        signer=known(_text(entry.get("signer"))),
        text=known(_text(_first(entry, _TEXTS))),
        split=known(_text(entry.get("split"))),
        times_ms=times or None,
        length_ms=float(length) if length else None,
    )


def _from_json(path: Path) -> list[tuple[str, Entry]]:
    content = read_json(path)
    if isinstance(content, dict):
        entries = [
            {"clip_id": name, **entry} if isinstance(entry, dict) else entry
            for name, entry in content.items()
        ]
    else:
        entries = content
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise DataError(
            f"{path} is no gloss table: expected a list of entries, or an object of entries by name"
        )
    return [(f"{path}, entry {number}", entry) for number, entry in enumerate(entries)]


def _from_csv(path: Path, read: Annotations) -> list[tuple[str, Entry]]:
    columns, rows = read_table(path)
    if "clip_id" not in columns or not set(columns) & set(_GLOSSES):
        raise DataError(
            f"{path} is no gloss table: expected columns clip_id and glosses, or clip_id and gloss "
            f"(it has {', '.join(columns[:8])})"
        )
    if "glosses" in columns:
        return [(f"{path}, row {number}", row) for number, row in enumerate(rows, start=1)]
    return _gathered(path, rows, read)


def _gathered(path: Path, rows: Iterable[Row], read: Annotations) -> list[tuple[str, Entry]]:
    """Rows of one gloss each as sentences, in the order of their starts where there are any."""
    found: dict[str, list[Row]] = {}
    broken: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        found.setdefault(row["clip_id"], []).append(row)
        for key in ("start_ms", "end_ms"):
            try:
                float(row.get(key) or 0)
            except ValueError as error:
                broken.setdefault(row["clip_id"], f"row {number}: {key}: {error}")
    for name, reason in broken.items():
        read.broken_entry(f"{path}, clip {name!r}", normal_name(name), reason)
    entries: list[tuple[str, Entry]] = []
    for name, signs in found.items():
        if name in broken:
            continue
        if all(known(sign.get("start_ms")) for sign in signs):
            signs = sorted(signs, key=lambda sign: float(sign["start_ms"]))
        lists = {
            key: [sign[key] for sign in signs if sign.get(key)]
            for key in ("gloss", "start_ms", "end_ms")
        }
        entries.append((f"{path}, clip {name!r}", {**signs[0], **lists}))
    return entries


def _first(entry: Entry, keys: Iterable[str]) -> Any:
    return next((entry[key] for key in keys if entry.get(key)), None)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return value
    raise ValueError(f"expected a list, found {value!r}")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
