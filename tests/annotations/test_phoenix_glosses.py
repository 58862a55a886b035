"""PHOENIX's cleaning rules, case by case, and against its script's steps written plainly."""

from __future__ import annotations

import re

import pytest

from slr_ray.annotations.phoenix_glosses import PHOENIX14, PHOENIX14T


@pytest.mark.parametrize(
    ("annotation", "glosses"),
    [
        ("__ON__ LIEB ZUSCHAUER ABEND __OFF__", "LIEB ZUSCHAUER ABEND"),
        ("__LEFTHAND__ WIND __EMOTION__ __PU__ WEHEN", "WIND WEHEN"),
        ("loc-NORD cl-KOMMEN qu-WIE poss-MEIN lh-TAG", "NORD KOMMEN WIE MEIN TAG"),
        ("S0NNE HABEN2 ZEIGEN", "SONNE HABEN ZEIGEN-BILDSCHIRM"),
        ("WIE AUSSEHEN MORGEN", "WIE-AUSSEHEN MORGEN"),
        ("WIE MORGEN AUSSEHEN", "WIE MORGEN AUSSEHEN"),
        ("NORDRAUM RAUM SUEDRAUM", "NORD RAUM SUED"),
        ("REGEN-PLUSPLUS REGEN REGEN WIND REGEN", "REGEN WIND REGEN"),
        ("WIE-IMMER WIE-IMMER", "WIE-IMMER"),
        ("IX S H IX", "IX S+H IX"),
        ("S+H A", "S+H+A"),
        ("A B C", "A+B+C"),
        ("SCH A", "SCH+A"),
        ("A SCH", "A SCH"),
        ("A NN B", "A+NN+B"),
        ("loc-NORD NORD", "NORD"),
        ("__ON__ __OFF__", ""),
        ("", ""),
    ],
)
def test_rules_of_2014(annotation: str, glosses: str) -> None:
    assert PHOENIX14.clean(annotation) == tuple(glosses.split())


@pytest.mark.parametrize(
    ("annotation", "glosses"),
    [
        ("loc-NORD cl-KOMMEN", "NORD KOMMEN"),
        ("poss-EUCH ZEIGEN", "poss-EUCH ZEIGEN"),
        ("TAG TAG __EPENTHESIS__ negalp-MUSS", "TAG negalp-MUSS"),
    ],
)
def test_rules_of_2014_t_keep_its_vocabulary(annotation: str, glosses: str) -> None:
    assert PHOENIX14T.clean(annotation) == tuple(glosses.split())


def test_a_cleaned_annotation_stays_as_it_is() -> None:
    for annotation in ("IX S+H WIE-AUSSEHEN ZEIGEN-BILDSCHIRM", "A+B NORD NN+A TIEF"):
        once = PHOENIX14.clean(annotation)
        assert PHOENIX14.clean(" ".join(once)) == once == tuple(annotation.split())


def test_letters_are_joined_as_substitutions_on_the_text_join_them() -> None:
    """A few letters after each other in every way, against pairs joined until nothing changes."""
    words = ("A", "B+C", "SCH", "NN", "TAG")
    for first in words:
        for second in words:
            for third in words:
                if first == second or second == third:
                    continue
                text = f" {first} {second} {third} "
                joined = text
                for _ in range(4):
                    for pattern in (
                        r"([ +][A-Z]) ([A-Z][ +])",
                        r"([ +]SCH) ([A-Z][ +])",
                        r"([ +]NN) ([A-Z][ +])",
                        r"([ +][A-Z]) (NN[ +])",
                    ):
                        joined = re.sub(pattern, r"\1+\2", joined)
                assert PHOENIX14.clean(text) == tuple(joined.split()), text
