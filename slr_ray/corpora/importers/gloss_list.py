"""The file of `--glosses`: names of numbered labels.

One name a line, in the order of the labels; or with the number before the name, as WLASL's class
list has it; or JSON: a list of names, `{"name": number}` as in ASL Signs' index map, or
`{"number": "name"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from slr_ray.errors import DataError
from slr_ray.text import normal_name, read_json, read_lines

_NUMBERED = re.compile(r"(\d+)\s*[\s,;:.)]\s*(\S.*)")


def read_glosses(path: Path) -> tuple[tuple[str, ...], int | None]:
    """The names, and the label of the first one where the file says so.

    `DataError` where a name is blank or comes twice, or where numbers do not run from 0 or 1.
    """
    if not path.is_file():
        raise DataError(f"no such glosses file: {str(path)!r}")
    if path.suffix.lower() == ".json":
        names, first = _from_json(path)
    else:
        names, first = _from_lines(path)
    if not names:
        raise DataError(f"{path} names no gloss")
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name:
            raise DataError(f"{path}: line {number} names no gloss")
        if name in seen:
            raise DataError(
                f"{path}: line {number} names {name!r} again (line {seen[name]} does too); two "
                "labels would become one gloss"
            )
        seen[name] = number
    return names, first


def _from_lines(path: Path) -> tuple[tuple[str, ...], int | None]:
    lines = read_lines(path)
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    # A heading such as "id,gloss" stands above numbered lines only.
    body = numbered[1:] if len(lines) > 2 and numbered[0] is None else numbered
    pairs = [(int(one[1]), normal_name(one[2])) for one in body if one is not None]
    if len(pairs) < len(body) or len(pairs) < 2 or not _from_0_or_1(pairs):
        return tuple(lines), None
    return _in_order(pairs, path)


def _from_json(path: Path) -> tuple[tuple[str, ...], int | None]:
    content = read_json(path)
    if isinstance(content, list) and all(isinstance(one, str) for one in content):
        return tuple(normal_name(one) for one in content), None
    if isinstance(content, dict):
        if all(type(value) is int for value in content.values()):
            pairs = [(value, normal_name(key)) for key, value in content.items()]
            return _in_order(pairs, path)
        if all(key.isdecimal() and isinstance(one, str) for key, one in content.items()):
            return _in_order([(int(key), normal_name(one)) for key, one in content.items()], path)
    raise DataError(
        f"{path} is no list of glosses: expected names, or an object of names and numbers"
    )


def _in_order(pairs: list[tuple[int, str]], path: Path) -> tuple[tuple[str, ...], int | None]:
    if not _from_0_or_1(pairs):
        raise DataError(f"{path}: its numbers do not run from 0 or 1, each once")
    pairs = sorted(pairs)
    return tuple(name for _, name in pairs), pairs[0][0] if pairs else None


def _from_0_or_1(pairs: Iterable[tuple[int, str]]) -> bool:
    numbers = sorted(number for number, _ in pairs)
    return any(numbers == list(range(first, first + len(numbers))) for first in (0, 1))
