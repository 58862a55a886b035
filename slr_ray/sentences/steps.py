"""Steps of an encoder of sentences, and the classes that it tells apart at each.

A step is what is left of `poses.sentence.FRAMES_A_STEP` frames. Classes are the blank and, behind
it, the glosses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Int64

BLANK = 0
"""The class of no gloss. Class g + 1 is gloss g."""
NO_GLOSS = -1
"""Where an array has a gloss for each step or frame and there is none."""

Glosses: TypeAlias = Int64[np.ndarray, " _"]
"""A gloss sequence, as indices into the corpus's glosses."""
Sequences: TypeAlias = Sequence[Glosses]
"""One gloss sequence a sentence."""


def min_steps(sequence: Glosses) -> int:
    """Fewest steps in which CTC can tell a sequence: a blank must part a gloss from itself."""
    return len(sequence) + int((sequence[1:] == sequence[:-1]).sum())
