"""What Tune passes on comes out as it went in."""

from __future__ import annotations

import copy
import pickle

from slr_ray.experiment.experiment import build_experiment
from slr_ray.search.packed import Packed


def test_a_value_comes_out_as_it_went_in_however_often_it_is_copied() -> None:
    config = build_experiment({"preset": "few_labels"}, "test")
    packed = Packed((config, {"method.num_rounds": 2}))
    passed_on = copy.deepcopy(pickle.loads(pickle.dumps(packed)))
    assert passed_on.unpack() == (config, {"method.num_rounds": 2})


def test_it_is_told_in_few_words() -> None:
    # Tune makes a trial's tag of what it is given.
    config = build_experiment({"preset": "few_labels"}, "test")
    assert len(repr(Packed(config))) < 100
