"""PHOENIX's rules for what counts as one gloss.

After `evaluation/slr_eval/preprocess.sh` of VIPL-SLP/VAC_CSLR, which is the corpus's own script for
recognised glosses: prefixes that tell how a sign is used go, spelt letters become one gloss, `RAUM`
and `-PLUSPLUS` go from the end of a gloss, a gloss signed again counts once. We apply them to the
annotation, so that training, reference and hypothesis have one vocabulary, and differ in two
points. Markers (`__ON__`, `__OFF__`, `__LEFTHAND__`, ...) all go, as they are no signs: VAC's
references keep `__ON__` and `__OFF__`, so that its word error rates count them. Repeats are merged
whatever the gloss looks like; the script leaves those with a hyphen.

2014-T is published cleaned; of the prefixes its vocabulary lacks only `loc-` and `cl-`, which is
what `clean_phoenix_2014_trans` of Camgoz's `slt` removes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

_MARKER = re.compile(r"__[A-Z]+__")
_ROOM = re.compile(r"(?<=[A-Z]{2})RAUM")
_LETTER = re.compile(r"[A-Z]")
_SOUNDS = ("SCH", "NN")
"""Letters of the finger alphabet that are written with several."""


@dataclass(frozen=True)
class Cleaning:
    """The rules of one of the corpora."""

    prefixes: tuple[str, ...]
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Other ways to write a gloss, by what stands in the annotation."""

    def clean(self, annotation: str) -> tuple[str, ...]:
        """The glosses of an annotation; none where it holds only markers."""
        glosses: list[str] = []
        for word in annotation.split():
            gloss = self._one(word)
            if not gloss:
                continue
            if glosses and (glosses[-1], gloss) == ("WIE", "AUSSEHEN"):
                glosses[-1] = "WIE-AUSSEHEN"
            elif glosses and _is_spelt(glosses[-1], gloss):
                glosses[-1] += f"+{gloss}"
            else:
                glosses.append(gloss)
        return tuple(gloss for gloss, _ in groupby(glosses))

    def _one(self, word: str) -> str:
        gloss = _MARKER.sub("", word)
        for prefix in self.prefixes:
            gloss = gloss.replace(prefix, "")
        gloss = _ROOM.sub("", gloss.replace("-PLUSPLUS", ""))
        return self.spellings.get(gloss, gloss)


def _is_spelt(before: str, gloss: str) -> bool:
    """Whether a gloss goes on with the letters that the one before it ends with."""
    last, first = before.rsplit("+", 1)[-1], gloss.split("+", 1)[0]
    if _LETTER.fullmatch(first):
        return bool(_LETTER.fullmatch(last)) or last in _SOUNDS
    return first == "NN" and bool(_LETTER.fullmatch(last))


PHOENIX14 = Cleaning(
    ("loc-", "cl-", "qu-", "poss-", "lh-"),
    {"S0NNE": "SONNE", "HABEN2": "HABEN", "ZEIGEN": "ZEIGEN-BILDSCHIRM"},
)
PHOENIX14T = Cleaning(("loc-", "cl-"))
