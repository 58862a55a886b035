"""Reading configurations: merging, overrides, messages."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest

from slr_ray.config import as_tree, merge, parse_overrides, parse_yaml, set_dotted
from slr_ray.errors import ConfigError
from slr_ray.experiment.experiment import build_experiment, pretraining_of
from slr_ray.search.spaces.space import parse


def test_overrides_are_read_as_yaml() -> None:
    assert parse_overrides(["a.b=5", "c=[1, 2]", "d=null", "e=x=y"]) == {
        "a.b": 5,
        "c": [1, 2],
        "d": None,
        "e": "x=y",
    }


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", ".1e-2", "+1e-3", "1.0e-3", "0.001"])
def test_numbers_with_an_exponent_are_numbers(text: str) -> None:
    assert parse_overrides([f"a={text}", f"b=[{text}, '{text}']"]) == {
        "a": 0.001,
        "b": [0.001, text],
    }
    written = f"training:\n  optimiser: {{learning_rate: {text}}}\n".encode()
    config = build_experiment(parse_yaml(written, "my.yaml"), "my.yaml")
    assert config.training.optimiser.learning_rate == 0.001
    assert isinstance(
        parse({"a": {"log_uniform": parse_overrides([f"a=[{text}, 1e0]"])["a"]}}), dict
    )


def test_whole_numbers_may_have_an_exponent_and_texts_may_not() -> None:
    assert build_experiment(parse_yaml(b"training: {num_epochs: 1e2}", "my.yaml"), "x").training
    with pytest.raises(ConfigError, match=r"my\.yaml: training\.num_epochs: .*0\.5"):
        build_experiment(parse_yaml(b"training: {num_epochs: 5e-1}", "my.yaml"), "my.yaml")
    with pytest.raises(ConfigError, match=r"data\.location: .*valid string \(got 0\.001\)"):
        build_experiment(parse_yaml(b"data: {kind: shards, location: 1e-3}", "my.yaml"), "my.yaml")
    for text in ("e3", "1e", "v1e3", "1e-3x", "clip-1e3"):
        assert parse_overrides([f"a={text}"]) == {"a": text}


@pytest.mark.parametrize("text", ["a.b", "=5", "a=[1"])
def test_broken_overrides(text: str) -> None:
    with pytest.raises(ConfigError, match=r"override|YAML"):
        parse_overrides([text])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: {b: 1}\nc: 2\na: {d: 3}", r"my\.yaml: line 3: .* 'a' is there twice, .* line 1"),
        (b"a: 1\nb:\n  - {kind: x, 'kind': y}", r"my\.yaml: line 3: .*'kind' is there twice"),
        (b"a: 1\nb: &b {kind: *b}", r"my\.yaml: line 2: .*contains itself"),
        (b"a: &a [1, {b: *a}]", r"my\.yaml: line 1: .*contains itself"),
    ],
)
def test_yaml_that_says_two_things_or_has_no_end_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_yaml(text, "my.yaml")


def test_what_is_merged_may_be_said_again() -> None:
    text = b"a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: *a"
    assert parse_yaml(text, "my.yaml")["b"] == {"x": 3, "y": 2}
    with pytest.raises(ConfigError, match="'k' is there twice"):
        parse_overrides(["a={k: 1, k: 2}"])


def test_a_changed_kind_starts_afresh() -> None:
    below = {"pool": {"kind": "fraction", "fraction": 0.1}}
    assert merge(below, {"pool": {"kind": "signers", "num_signers": 4}}) == {
        "pool": {"kind": "signers", "num_signers": 4}
    }
    assert merge(below, {"pool": {"fraction": 0.2}}) == {
        "pool": {"kind": "fraction", "fraction": 0.2}
    }


def test_yes_and_on_are_words_and_still_say_so_where_a_switch_is_wanted() -> None:
    """As in YAML 1.2: a gloss may be YES."""
    words = parse_overrides(["data.glosses=[yes,No,on,1]", "training.with_validation=yes"])
    assert words["data.glosses"] == ["yes", "No", "on", 1]
    tree = as_tree({**words, "training.keep": "last", "data.kind": "embedded"})
    built = build_experiment(tree, "test")
    assert built.training.with_validation is True
    assert built.data.glosses.names == ("yes", "No", "on", "1")
    assert parse_overrides(["a=true", "b=False"]) == {"a": True, "b": False}


def test_presets_lie_below_the_users_values() -> None:
    modern = build_experiment({"training": {"num_epochs": 3}}, "test")
    assert modern.training.num_epochs == 3
    assert modern.training.optimiser.kind == "adamw"
    published = build_experiment({"preset": "published"}, "test")
    assert published.training.batch_size == 1
    assert published.training.optimiser.kind == "sgd"
    assert published.model.width is None


@pytest.mark.parametrize("preset", ["published", "modern", "few_labels", "spoter_small"])
def test_a_resolved_configuration_reads_back_as_itself(preset: str) -> None:
    first = build_experiment({"preset": preset}, "test")
    assert build_experiment(first.model_dump(mode="json"), "test") == first


class TestEpochsAndSteps:
    """Pre-training counts `num_steps` instead of `num_epochs`, whichever was given last."""

    SMALL: ClassVar = {"preset": "ssl_slr_small"}

    def counted(self, section: dict[str, int | None], below: Any = None) -> tuple[int, int | None]:
        """Epochs and steps of a section over another one over the preset."""
        tree = merge({**self.SMALL, **(below or {})}, {"initialisation": section})
        found = pretraining_of(build_experiment(tree, "test"))
        return found.num_epochs, found.num_steps

    def test_who_gives_epochs_over_a_layer_with_steps_gets_epochs(self) -> None:
        assert self.counted({}) == (200, 400)
        assert self.counted({"num_epochs": 1}) == (1, None)
        below = {"initialisation": {"kind": "pretraining", "num_steps": 5}}
        assert self.counted({"num_epochs": 1}, below) == (1, None)
        assert self.counted({"num_steps": 7}, {"initialisation": {"num_epochs": 3}}) == (3, 7)
        assert self.counted({"batch_size": 8}, below) == (200, 5)
        tree = {"initialisation": {"num_steps": 5}}
        set_dotted(tree, "initialisation.num_epochs", 2)
        assert tree == {"initialisation": {"num_steps": None, "num_epochs": 2}}

    def test_what_was_written_reads_back_as_itself(self) -> None:
        for section in ({"num_steps": 7}, {"num_epochs": 3}, {}):
            tree = {**self.SMALL, "initialisation": section}
            first = build_experiment(tree, "test")
            written = first.model_dump(mode="json")
            assert build_experiment(written, "test") == first
            again = build_experiment(merge(written, {"initialisation": {"num_epochs": 9}}), "test")
            assert pretraining_of(again).num_steps is None

    def test_one_layer_gives_one_of_them(self) -> None:
        both = ["initialisation.num_epochs=1", "initialisation.num_steps=5"]
        told = r"give initialisation\.num_epochs or initialisation\.num_steps, not both"
        for overrides in (both, both[::-1]):
            with pytest.raises(ConfigError, match=told):
                parse_overrides(overrides)
        with pytest.raises(ConfigError, match="num_epochs or num_steps, not both"):
            parse_overrides(["initialisation={num_epochs: 1, num_steps: 5}"])
        parse_overrides(["initialisation.num_epochs=1", "initialisation.num_steps=null"])


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"training": {"num_epoch": 3}}, ["num_epoch", "did you mean 'num_epochs'"]),
        ({"training": {"num_epochs": 0}}, ["training.num_epochs", "0"]),
        ({"training": {"optimiser": {"learning_rate": math.inf}}}, ["learning_rate", "inf"]),
        ({"training": {"mixup": math.nan}}, ["training.mixup", "nan"]),
        ({"method": {"kind": "sslr", "num_rounds": -1}}, ["num_rounds", "-1"]),
        ({"pool": {"kind": "fraction", "fraction": 1.5}}, ["fraction", "1.5"]),
        ({"model": {"width": 100, "num_heads": 9}}, ["100", "9"]),
        ({"data": {"kind": "shards"}}, ["location"]),
        (
            {"method": {"kind": "supervised", "num_rounds": 2}},
            ["method.num_rounds: no such field of kind 'supervised'; there are kind"],
        ),
        (
            {"pool": {"kind": "per_gloss", "num_clip": 2}},
            ["pool.num_clip: no such field of kind 'per_gloss', did you mean 'num_clips'?"],
        ),
        ({"data": {"kind": "lsa64"}}, ["lsa64"]),
        (
            {"method": {"kind": "sslr", "selection": {"share": 0.7}}},
            ["method.selection: name which one with method.selection.kind", "threshold, quantile"],
        ),
    ],
)
def test_messages_name_field_value_and_remedy(tree: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        build_experiment(tree, "my.yaml")
    for word in ["my.yaml", *words]:
        assert word in str(error.value)
