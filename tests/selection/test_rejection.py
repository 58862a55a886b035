"""Rejection of clips of unknown glosses: one suite over every kind, then the formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_factory import LABELLED, pool

from slr_ray.config import alternatives
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.selection import blocks
from slr_ray.selection.evidence import Evidence, present
from slr_ray.selection.reject.energy import Energy
from slr_ray.selection.reject.prototype import Prototype
from slr_ray.selection.reject.rejection import Rejection, reached_by

KINDS: list[type[Rejection]] = list(alternatives(SslrConfig, "reject").values())  # type: ignore[arg-type]


@pytest.fixture(autouse=True, params=[2**18, 35])
def blocks_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows at once, and seven at a time."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", request.param)


@pytest.mark.parametrize("kind", KINDS)
class TestEveryRejection:
    @pytest.mark.parametrize("seed", range(3))
    def test_keeps_more_the_more_validation_clips_it_keeps(
        self, kind: type[Rejection], seed: int
    ) -> None:
        evidence = pool(seed).evidence
        kept = [set(np.flatnonzero(kind(keep=keep).stays(evidence))) for keep in (0.2, 0.6, 1.0)]
        assert kept[0] <= kept[1] <= kept[2]
        assert len(kept[0]) < len(kept[2]) <= 60

    def test_follows_a_permutation_of_the_clips(self, kind: type[Rejection]) -> None:
        evidence = pool(1).evidence
        order = np.random.default_rng(0).permutation(60)
        stays = kind(keep=0.6).stays(evidence)
        assert 0 < stays.sum() < 60
        np.testing.assert_array_equal(kind(keep=0.6).stays(evidence.of(order)), stays[order])

    def test_empty_pool(self, kind: type[Rejection]) -> None:
        assert kind().stays(pool(0).evidence.of(np.empty(0, int))).tolist() == []

    def test_clips_that_are_alike_share_their_fate(self, kind: type[Rejection]) -> None:
        evidence = pool(0).evidence
        for clip in range(0, 60, 6):
            stays = kind(keep=0.5).stays(evidence.of(np.full(4, clip)))
            assert len(set(stays.tolist())) == 1

    def test_one_labelled_clip_and_one_of_validation(self, kind: type[Rejection]) -> None:
        given = pool(0, num_glosses=1).evidence
        few = replace(
            given,
            labelled_counts=np.ones(1, int),
            labelled_glosses=np.zeros(1, int),
            labelled_representations=np.ones((1, 8)),
            validation_energy=np.sort(present(given.energy, "energies"))[[29]],
            validation_representations=present(given.representations, "representations")[[0]],
        )
        stays = kind().stays(few)
        assert 0 < stays.sum() < 60
        # As familiar as the one clip that says what is familiar.
        assert kind is Energy or stays[0]

    def test_what_it_needs_is_asked_for(self, kind: type[Rejection]) -> None:
        given = pool(0).evidence
        needs = kind().needs
        without = replace(
            given,
            energy=given.energy if needs.energy else None,
            representations=given.representations if needs.representations else None,
        )
        np.testing.assert_array_equal(kind().stays(without), kind().stays(given))
        assert SslrConfig(reject=kind()).needs == needs
        with pytest.raises(ValueError, match=r"no .* among the evidence"):
            kind().stays(Evidence(labelled_counts=LABELLED))


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(-9, 9), min_size=1, max_size=40),
    share=st.sampled_from([0.01, 0.05, 0.3, 0.5, 0.7, 0.9, 0.95, 1.0]),
)
def test_the_highest_value_that_the_share_reaches(values: list[int], share: float) -> None:
    array = np.array(values, np.float64)
    needed = share * len(values) - 1e-6
    reaching = [one for one in values if sum(other >= one for other in values) >= needed]
    assert reached_by(array, share) == max(reaching)


def test_energy_against_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    logits, validation = rng.normal(size=(30, 4)) * 3, rng.normal(size=(20, 4)) * 3 + 1

    def energy(row: np.ndarray) -> float:
        return -math.log(sum(math.exp(one) for one in row))

    evidence = Evidence(
        energy=np.array([energy(row) for row in logits]),
        validation_energy=np.array([energy(row) for row in validation]),
    )
    # Of twenty validation clips, sixteen may have the threshold's energy at most.
    highest = sorted(energy(row) for row in validation)[15]
    expected = [energy(row) <= highest for row in logits]
    assert Energy(keep=0.8).stays(evidence).tolist() == expected
    assert 0 < sum(expected) < 30


def test_prototypes_against_a_plain_loop() -> None:
    evidence = pool(4).evidence
    labelled, glosses = evidence.labelled_representations, evidence.labelled_glosses
    given = evidence.representations, evidence.validation_representations
    assert labelled is not None
    assert glosses is not None

    def nearest(vector: np.ndarray) -> float:
        cosines = []
        for gloss in range(5):
            mean = np.mean([labelled[row] for row in np.flatnonzero(glosses == gloss)], axis=0)
            lengths = np.linalg.norm(mean) * np.linalg.norm(vector)
            cosines.append(float(mean @ vector / lengths))
        return max(cosines)

    for found, vectors in zip(Prototype().familiarity(evidence), given, strict=True):
        assert vectors is not None
        np.testing.assert_allclose(found, [nearest(one) for one in vectors], rtol=1e-4)


def test_a_gloss_without_labelled_clips_has_no_prototype() -> None:
    given = pool(2).evidence
    glosses = given.labelled_glosses
    assert glosses is not None
    assert given.labelled_representations is not None
    kept = glosses < 4
    without = replace(
        given,
        labelled_glosses=glosses[kept],
        labelled_representations=given.labelled_representations[kept],
    )
    nearest, before = (Prototype().familiarity(one)[0] for one in (without, given))
    assert (nearest <= before).all()
    assert (nearest < before).any()
