"""Search spaces: reading, suggesting, checking before a start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from slr_ray.errors import ConfigError
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.search.spaces.space import as_optuna_params, extremes, parameters, parse, suggest
from slr_ray.search.spaces.space_file import check_space, load_space, spaces_folder
from slr_ray.training.pretraining.config import PretrainingConfig

TREE: dict[str, Any] = {
    "method": {
        "selection": {
            "choose": [
                {"kind": "threshold", "confidence": {"uniform": [0.5, 0.9]}},
                {"kind": "top_per_gloss", "num_clips": {"int": [1, 8]}},
            ]
        },
        "num_rounds": {"int": [1, 4]},
        "pseudo_labels": {"choice": ["accumulate", "reselect"]},
        "num_views": 2,
    }
}


def space(**changes: Any) -> dict[str, Any]:
    return {"name": "test", **TREE, **changes}


SHIPPED = pytest.mark.parametrize(
    "file", sorted(spaces_folder().glob("*.yaml")), ids=lambda one: one.stem
)


@SHIPPED
def test_shipped_spaces_are_usable(file: Path) -> None:
    loaded = load_space(file.stem, {})
    assert loaded.name == file.stem
    for plain in loaded.start_from:
        params, outside = as_optuna_params(loaded.tree, plain.model_dump(mode="json"))
        assert not outside, outside
        assert params


@SHIPPED
def test_every_threshold_of_a_shipped_space_can_be_reached(file: Path) -> None:
    """With label smoothing a raw probability never is 0.95, and part of the range is dead."""
    loaded = load_space(file.stem, {})
    for one in (loaded.default, *loaded.start_from, *loaded.searched):
        if not isinstance(one.method, SslrConfig) or one.method.calibration != "none":
            continue
        confidence = getattr(one.method.selection, "confidence", 0)
        assert confidence < 1 - one.training.label_smoothing


def test_suggestions_mirror_the_tree() -> None:
    tree = parse(TREE)
    kinds = set()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        plain, params = suggest(tree, study.ask())
        method = plain["method"]
        kinds.add(method["selection"]["kind"])
        assert params["method.selection.kind"] == method["selection"]["kind"]
        if method["selection"]["kind"] == "threshold":
            assert 0.5 <= params["method.selection.confidence"] <= 0.9
            assert "method.selection.num_clips" not in params
        else:
            assert 1 <= method["selection"]["num_clips"] <= 8
        assert method["num_views"] == 2
    assert kinds == {"threshold", "top_per_gloss"}


def test_branches_may_search_the_same_path_over_different_ranges() -> None:
    tree = parse(
        {
            "method": {
                "selection": {
                    "choose": [
                        {"kind": "top_confidence", "num_clips": {"int": [100, 200]}},
                        {"kind": "top_per_gloss", "num_clips": {"int": [1, 8]}},
                    ]
                }
            }
        }
    )
    names = [one.name for one in parameters(tree)]
    assert len(names) == len(set(names)) == 3
    assert {one.path for one in parameters(tree)} == {
        "method.selection.kind",
        "method.selection.num_clips",
    }


def test_extremes_show_every_branch_and_both_ends() -> None:
    seen = list(extremes(parse(TREE)))
    selections = [one["method"]["selection"] for one in seen]
    assert {one.get("confidence") for one in selections} == {0.5, 0.9, None}
    assert {one.get("num_clips") for one in selections} == {1, 8, None}
    assert {one["method"]["num_rounds"] for one in seen} == {1, 4}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": {"num_rounds": {"int": [4, 1]}}}, ["method.num_rounds", "4", "above"]),
        ({"method": {"num_rounds": {"int": [-3, 4]}}}, ["num_rounds", "-3", "ends of the ranges"]),
        ({"method": {"num_rounds": {"int": [1.5, 4]}}}, ["num_rounds", "whole numbers"]),
        ({"method": {"nun_rounds": {"int": [1, 4]}}}, ["nun_rounds", "num_rounds"]),
        ({"metod": {}}, ["metod", "method"]),
        ({"method": {"num_rounds": {"log_int": [0, 4]}}}, ["num_rounds", "above 0"]),
        ({"method": {"pseudo_labels": {"choice": []}}}, ["method.pseudo_labels", "choice"]),
        ({"method": {"selection": {"choose": [{"confidence": 1}]}}}, ["selection", "kind"]),
        ({"method": {"selection": {"kind": "thresold"}}}, ["selection", "thresold"]),
        ({"search": {"num_trials": 0}}, ["num_trials", "0"]),
        ({"search": {"num_samples": 3}}, ["num_samples", "it is called 'num_trials' now"]),
        ({"published": {}}, ["published", "it is called 'default' now"]),
        (
            {"method": {"pool": "reselect"}},
            ["method.pool", "it is called 'pseudo_labels' now"],
        ),
        (
            {"method": {"initialisation": "continue"}},
            ["method.initialisation", "it is called 'start' now"],
        ),
        ({"training": {"metric": "acuracy"}}, ["metric", "acuracy"]),
        ({"training": {"metric": {"choice": ["accuracy", "macro_f1"]}}}, ["metric", "searched"]),
        ({"search": {"search_seeds": [-1]}}, ["search_seeds", "-1"]),
        ({"search": {"final_seeds": [0, 0, 0]}}, ["final_seeds", "[0, 0, 0]", "once"]),
        ({"search": {"seed": -5}}, ["search", "seed", "-5"]),
        ({"preset": "modrn"}, ["preset", "modrn"]),
        ({"name": None}, ["name"]),
        ({"name": ""}, ["name", "''"]),
        ({"name": "../elsewhere/x"}, ["name", "'../elsewhere/x'", "no slash"]),
        ({"name": ".hidden"}, ["name", "'.hidden'", "with a dot"]),
        ({3: 4}, ["3: no such section"]),
        ({"training": {"max_frames": {"choice": [40, None, 40]}}}, ["max_frames", "twice"]),
        ({"training": {"ema_decay": {"choice": [1, True]}}}, ["ema_decay", "twice", "True"]),
        (
            {"method": {"selection": {"choose": [{"kind": {"choice": ["threshold"]}}]}}},
            ["method.selection: choose", "its kind, a text"],
        ),
        (
            {"method": {"num_rounds": {"int": [1, 3, 5]}}},
            ["method.num_rounds", "steps of 5 from 1 never come to 3", "[1, 3, 5]"],
        ),
        ({"split": {"seed": {"int": [0, 9]}}}, ["split.seed", "the same ones"]),
        ({"data": {"num_signers": {"choice": [8, 9]}}}, ["data.num_signers", "the same ones"]),
        (
            {"split": {"choose": [{"kind": "signer"}, {"kind": "folds"}]}},
            ["split.kind", "the same ones"],
        ),
        ({"default": {"split": {"seed": 3}}}, ["default or start_from: split", "the same ones"]),
        ({"search": {"sampler": {"kind": "cma_es"}}}, ["search.sampler", "cma_es"]),
        ({"search": {"scheduler": {"kind": "hyperband", "reduction": 9}}}, ["search.scheduler"]),
    ],
)
def test_bad_spaces_are_refused_with_path_and_value(
    change: dict[Any, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        check_space({**space(), **change}, "my.yaml", {})
    message = str(error.value)
    assert message.startswith("my.yaml: ")
    for word in words:
        assert word in message


def test_what_may_be_called_so_and_reached_is_taken() -> None:
    whole = {"num_rounds": {"int": [1, 5, 2]}}
    assert check_space(space(name="my space-1.2", method=whole), "my.yaml", {}).num_rounds == 5


def test_a_space_without_anything_searched_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing is searched"):
        check_space({"name": "fixed", "method": {"num_rounds": 2}}, "my.yaml", {})


def test_unknown_space_and_broken_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sslr_thresholds"):
        load_space("sslr_threshold", {})
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [\n  a: 1")
    with pytest.raises(ConfigError, match=r"broken\.yaml: line \d+: not valid YAML"):
        load_space(str(broken), {})
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_space(str(broken), {})


def test_an_override_fixes_a_searched_value() -> None:
    fixed = check_space(space(), "my.yaml", {"method.num_rounds": 3})
    assert fixed.tree["method"]["num_rounds"] == 3
    assert "method.num_rounds" not in {one.path for one in parameters(fixed.tree)}


def test_paths_are_absolute_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run goes on, and its workers run, in other working folders."""
    monkeypatch.chdir(tmp_path)
    written = space(
        data={"kind": "shards", "location": "poses"},
        split={"kind": "file", "path": "split.csv"},
        initialisation={
            "choose": [
                {"kind": "fresh"},
                {"kind": "pretraining", "extra_data": ["more", "s3://bucket/more"]},
            ]
        },
        start_from=[{"initialisation.kind": "pretraining", "initialisation.extra_data": ["more"]}],
    )
    found = check_space(written, "my.yaml", {}).written
    assert found["data"]["location"] == str(tmp_path / "poses")
    assert found["split"]["path"] == str(tmp_path / "split.csv")
    _, section = found["initialisation"]["choose"]
    assert section["extra_data"] == [str(tmp_path / "more"), "s3://bucket/more"]
    (start,) = found["start_from"]
    assert start["initialisation.extra_data"] == [str(tmp_path / "more")]
    assert check_space(found, "run.json", {}).written == found


def test_overrides_that_leave_nothing_to_search_are_named() -> None:
    written = {"name": "one", "preset": "modern", "method": {"num_rounds": {"int": [1, 4]}}}
    with pytest.raises(ConfigError, match=r"every value is fixed, by method\.num_rounds"):
        check_space(written, "my.yaml", {"method.num_rounds": 2})


def test_an_override_of_a_branchs_kind_takes_that_option() -> None:
    fixed = check_space(space(), "my.yaml", {"method.selection.kind": "threshold"})
    (only,) = [one for one in parameters(fixed.tree) if "selection" in one.path]
    assert only.path == "method.selection.confidence"
    both = {"method.selection.confidence": 0.7, "method.selection.kind": "threshold"}
    assert check_space(space(), "my.yaml", both).tree["method"]["selection"] == {
        "kind": "threshold",
        "confidence": 0.7,
    }
    other = check_space(space(), "my.yaml", {"method.selection.kind": "share_per_gloss"})
    assert other.tree["method"]["selection"] == {"kind": "share_per_gloss"}
    with pytest.raises(ConfigError, match=r"fix its kind as well: method\.selection\.kind="):
        check_space(space(), "my.yaml", {"method.selection.confidence": 0.7})


def test_given_values_outside_the_space_are_named() -> None:
    tree = parse(TREE)
    plain = {
        "method": {
            "selection": {"kind": "threshold", "confidence": 0.95},
            "num_rounds": 2,
            "pseudo_labels": "accumulate",
            "num_views": 1,
        }
    }
    params, outside = as_optuna_params(tree, plain)
    assert outside == ["method.selection.confidence", "method.num_views"]
    assert params["method.num_rounds"] == 2


def test_searched_epochs_count_over_the_steps_of_preset_and_space() -> None:
    written: dict[str, Any] = {
        "name": "mine",
        "preset": "ssl_slr_small",
        "initialisation": {"kind": "pretraining", "num_epochs": {"int": [1, 3]}},
    }
    for one in check_space(written, "mine.yaml", {}).searched:
        assert isinstance(one.initialisation, PretrainingConfig)
        assert one.initialisation.num_steps is None
    both = {**written, "initialisation": {**written["initialisation"], "num_steps": 9}}
    with pytest.raises(ConfigError, match=r"mine\.yaml: give num_epochs or num_steps, not both"):
        check_space(both, "mine.yaml", {})
    both["initialisation"].pop("num_epochs")
    both["training"] = {"mixup": {"uniform": [0.0, 0.5]}}
    found = check_space(both, "mine.yaml", {"initialisation.num_epochs": 2}).default
    assert isinstance(found.initialisation, PretrainingConfig)
    assert (found.initialisation.num_epochs, found.initialisation.num_steps) == (2, None)


@pytest.mark.parametrize(
    ("space", "overrides", "path", "value"),
    [
        # The default has 5 rounds, and no share of true labels.
        ("sslr_thresholds", {"method.num_rounds": 1}, ("method", "num_rounds"), 1),
        ("sslr_thresholds", {"method.true_share": 0.5}, ("method", "true_share"), 0.5),
        ("continuous", {"sentences.label_prior": 0.25}, ("sentences", "label_prior"), 0.25),
        ("continuous", {"method.kind": "sslr_sentences"}, ("method", "kind"), "sslr_sentences"),
        # What is searched itself leaves the default what it is.
        ("sslr_thresholds", {"method.num_rounds": {"int": [1, 2]}}, ("method", "num_rounds"), 5),
    ],
)
def test_an_override_counts_for_the_default_as_well(
    space: str, overrides: dict[str, Any], path: tuple[str, str], value: Any
) -> None:
    found: Any = load_space(space, overrides).default
    for name in path:
        found = getattr(found, name)
    assert found == value


def test_a_default_of_another_kind_is_the_spaces_option() -> None:
    overrides = {"method.selection.kind": "quantile", "method.selection.share": 0.3}
    selection = load_space("sslr_thresholds", overrides).default.method.selection  # type: ignore[union-attr]
    assert (selection.kind, selection.share) == ("quantile", 0.3)
