"""Glosses of SPOTER's numbered labels: which of two conventions holds, and what the file says.

SPOTER's release counts labels from 1 (it subtracts 1 when it reads them); many files that others
write count from 0. A wrong guess would shift every gloss by one, so all labels are looked at before
a clip is read, and a label that no name fits stops the import.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions
from slr_ray.errors import DataError
from slr_ray.text import known, normal_name

_PUBLISHED = 1
_OTHER_LIST = "Give the list that belongs to these labels, or one in their order without numbers"


def label_number(text: str | None) -> int | None:
    """A label as a whole number, None where it is blank; `DataError` where it is no such number."""
    label = known(text)
    if label is None:
        return None
    try:
        number = float(label)
    except ValueError:
        raise DataError(f"label {label!r} is not a number") from None
    if not math.isfinite(number) or number != int(number):
        raise DataError(f"label {label!r} is not a whole number")
    return int(number)


@dataclass
class Labels:
    """What a file's column of labels, and the one of their names, hold together."""

    numbers: set[int] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    """Labels that are names."""
    names: dict[int, set[str]] = field(default_factory=dict)
    """Names by label, of rows that have both."""

    def add(self, label: str | None, name: str) -> None:
        """Take up one row."""
        try:
            number = label_number(label)
        except DataError:
            if not _is_number(label or ""):
                self.words.add(normal_name(label or ""))
            return
        if number is not None:
            self.numbers.add(number)
            if name:
                self.names.setdefault(number, set()).add(name)

    def glosses(self, options: ImportOptions, remarks: Remarks) -> dict[int, str]:
        """The gloss of each label; `DataError` where the names given do not fit the labels."""
        if options.glosses is not None:
            return self._from_list(options.glosses, options, remarks)
        if not self.names:
            return {number: str(number) for number in self.numbers}
        doubled = next((one for one, names in self.names.items() if len(names) > 1), None)
        if doubled is not None:
            names = " and ".join(repr(name) for name in sorted(self.names[doubled]))
            raise DataError(f"label {doubled} is called {names}: make its names agree")
        without = sorted(self.numbers - set(self.names))
        if without:
            raise DataError(f"label {without[0]} has no name in any row, but others have: add it")
        return {number: next(iter(names)) for number, names in self.names.items()}

    def are_names(self) -> bool:
        """Whether the labels are the names of glosses themselves."""
        return bool(self.words) and not self.numbers

    def _from_list(
        self, glosses: tuple[str, ...], options: ImportOptions, remarks: Remarks
    ) -> dict[int, str]:
        if self.are_names():
            raise DataError(
                f"its labels are names such as {min(self.words)!r}; leave --glosses out"
            )
        first = _PUBLISHED if options.labels_from is None else options.labels_from
        named = {first + place: gloss for place, gloss in enumerate(glosses)}
        strange = sorted(self.numbers - set(named))
        if strange:
            raise DataError(
                self._does_not_fit(strange[0], first, len(glosses), options.are_numbered)
            )
        for number, names in self.names.items():
            if names != {named[number]}:
                other = next(iter(names - {named[number]}))
                remedy = f"Pass --labels-from {1 - first} if the labels count from there"
                raise DataError(
                    f"label {number} is {named[number]!r} in the glosses file, counted from "
                    f"{first}, and {other!r} in the table. "
                    f"{_OTHER_LIST if options.are_numbered else remedy}, or leave --glosses out to "
                    "take the table's names"
                )
        is_open = options.labels_from is None and not self.names
        if is_open and self.numbers and max(self.numbers) < len(glosses):
            # The last name has no clip: counted from 0, the labels would fit as well.
            lowest = min(self.numbers)
            remarks.add(
                f"labels are counted from {first}, SPOTER's way: {lowest} is {named[lowest]!r}; "
                f"--labels-from {1 - first} says otherwise"
            )
        return named

    def _does_not_fit(self, label: int, first: int, count: int, are_numbered: bool) -> str:
        low, high = min(self.numbers), max(self.numbers)
        other = 1 - first
        text = (
            f"label {label} has no name: counted from {first}, the glosses file names {first} to "
            f"{first + count - 1}; labels run from {low} to {high}"
        )
        if are_numbered:
            text += f". The file itself numbers them so. {_OTHER_LIST}"
        elif other <= low and high < other + count:
            text += f". Counted from {other} they fit: pass --labels-from {other}"
        else:
            text += (
                f", which does not fit {other} to {other + count - 1}, counted from {other} "
                "(--labels-from), either. Give the list that belongs to these labels"
            )
        if self.names:
            text += ", or leave --glosses out: the table names its labels itself"
        return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
