"""The public names: lazy, light to import, and every example in their docstrings runs."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import record_factory
from sentence_experiments import sentence_experiment

import slr_ray
from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig
from slr_ray.poses.clip import Clip

SMALL = {
    "model.width": 16,
    "model.num_heads": 2,
    "model.num_stages": 1,
    "model.num_convolutions": 1,
    "training.num_epochs": 1,
    "training.steps_per_epoch": 2,
    "training.max_frames": 8,
    "method.num_rounds": 1,
}
SENTENCES = {
    "model.width": 16,
    "model.part_width": 8,
    "training.num_epochs": 1,
    "training.steps_per_epoch": 2,
}
TINY = {
    "model.width": 16,
    "model.num_heads": 2,
    "model.num_layers": 1,
    "initialisation.num_steps": 3,
    "initialisation.batch_size": 16,
    "training.max_frames": 8,
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the examples take for granted."""
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        corpus = open_data(EmbeddedConfig(num_glosses=4, num_signers=8, seed=1))
        trained = folder / "result"
        result = slr_ray.train(corpus, labelled_signers=4, settings=SMALL, out=trained, quiet=True)
        slr_ray.pretrain(corpus, settings=TINY, out=folder / "sl_fpn", quiet=True)
        signed = open_data(sentence_experiment().data)
        sentences = slr_ray.train(
            signed,
            preset="continuous",
            settings=SENTENCES,
            out=folder / "sentences",
            quiet=True,
        )
    record_factory.write_run(str(folder / "run"), record_factory.WIN)
    return {
        "slr_ray": slr_ray,
        "folder": folder,
        "corpus": corpus,
        "small": SMALL,
        "tiny": TINY,
        "result": result,
        "sentence": signed.clip(0),
        "sentences": sentences,
        "encoder_file": folder / "sl_fpn" / "encoder.pt",
        "run_folder": folder / "run",
    }


@pytest.mark.parametrize("name", slr_ray.__all__)
def test_every_example_runs(name: str, names: dict[str, Any]) -> None:
    public = getattr(slr_ray, name)
    found = doctest.DocTestParser().get_doctest(
        inspect.getdoc(public) or "", dict(names), name, None, None
    )
    assert found.examples, f"{name} has no example in its docstring"
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    outcome = runner.run(found, out=told.append)
    assert outcome.failed == 0, "".join(told)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, slr_ray; "
        "print(*sorted({'torch', 'ray', 'numpy', 'pydantic', 'mediapipe'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_function_stays_one_beside_the_command_of_its_name() -> None:
    code = (
        "import slr_ray.train, slr_ray.pretrain, slr_ray; "
        "print(callable(slr_ray.train), callable(slr_ray.pretrain)); "
        "from slr_ray.train import main; print(callable(main))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]


def test_all_names_are_listed_and_an_unknown_one_is_named() -> None:
    assert set(slr_ray.__all__) <= set(dir(slr_ray))
    assert len(dir(slr_ray)) == len(set(dir(slr_ray)))
    assert 10 <= len(slr_ray.__all__) <= 18
    with pytest.raises(AttributeError, match="recognizer"):
        _ = slr_ray.recognizer  # type: ignore[attr-defined]


def test_a_missing_corpus_is_a_clear_error(tmp_path: Path) -> None:
    from slr_ray.errors import DataError

    with pytest.raises(DataError, match=r"nowhere"):
        slr_ray.open_corpus(tmp_path / "nowhere.parquet")


def test_shards_are_predicted_by_their_path(names: dict[str, Any]) -> None:
    corpus, recogniser = names["corpus"], names["result"].recogniser
    clips = [corpus.clip(one) for one in range(3)]
    slr_ray.write_shard(names["folder"] / "three.parquet", clips, {"extractor": "a test"})
    found = recogniser.predict(names["folder"] / "three.parquet")
    expected = recogniser.predict(clips)
    assert [(one.clip_id, one.gloss) for one in found] == [
        (one.clip_id, one.gloss) for one in expected
    ]


def test_an_error_tells_how_python_skips_broken_clips(names: dict[str, Any]) -> None:
    from slr_ray.errors import DataError

    path, clip = names["folder"] / "twice.parquet", names["corpus"].clip(0)
    slr_ray.write_shard(path, [clip, clip], {"extractor": "a test"})
    for call in (slr_ray.open_corpus, slr_ray.train, names["result"].recogniser.predict):
        with pytest.raises(DataError, match=r"Pass skip_broken=True to slr_ray\.open_corpus"):
            call(path)
    assert len(slr_ray.open_corpus(path, skip_broken=True).skipped) == 1


def test_a_preset_that_was_not_given_is_none_to_leave_out(names: dict[str, Any]) -> None:
    """What the error about a corpus of sentences tells to set is enough."""
    from slr_ray.errors import ConfigError

    signed = open_data(sentence_experiment().data)
    with pytest.raises(ConfigError, match="set task=continuous"):
        slr_ray.train(signed, out=names["folder"] / "none")
    again = {**SENTENCES, "task": "continuous"}
    found = slr_ray.train(signed, settings=again, out=names["folder"] / "sentences", quiet=True)
    assert found.config == names["sentences"].config


def test_a_folder_of_shards_and_videos_is_refused(names: dict[str, Any]) -> None:
    """Either would be passed over without a word; what a killed process left is no shard."""
    from slr_ray.errors import DataError

    folder, clip = names["folder"] / "mixed", names["corpus"].clip(0)
    (folder / "poses").mkdir(parents=True)
    slr_ray.write_shard(folder / "poses" / "one.parquet", [clip], {"extractor": "a test"})
    (folder / "hello.MP4").write_bytes(b"")
    with pytest.raises(DataError, match="holds pose shards and videos"):
        names["result"].recogniser.predict(folder)
    (folder / "poses" / "one.parquet").rename(folder / "poses" / ".one.parquet")
    said = pytest.warns(UserWarning, match="by something else than slr_ray.extract")
    with said, pytest.raises(DataError, match=r"hello\.MP4"):
        names["result"].recogniser.predict(folder)


WRONG_SOURCES: dict[str, tuple[Callable[[Clip], Any], str]] = {
    "none": (lambda _: None, "a NoneType is no clip: give a clip, clips, a corpus"),
    "paths": (lambda _: ["x.parquet"], "a str is no clip: give a clip, clips, a corpus"),
    "array": (lambda clip: clip.positions, "a ndarray is no clip"),
    "NaN": (lambda clip: replace(clip, positions=np.nan * clip.positions), "NaN or infinite"),
    "pixels": (lambda clip: [replace(clip, positions=640 + clip.positions)], "divide pixels"),
    "nobody": (lambda clip: [replace(clip, confidence=0 * clip.confidence)], "no joint in any"),
    "rate": (lambda clip: replace(clip, fps=-5.0), "fps is -5.0, expected frames a second"),
    "no rate": (lambda clip: replace(clip, fps=np.nan), "fps is nan, expected frames a second"),
    "rate in words": (lambda clip: replace(clip, fps="25"), "fps is '25', expected frames a se"),
    "lists": (lambda clip: replace(clip, positions=[[0.5, 0.5]]), "positions must be a numpy arr"),
    "texts": (lambda clip: replace(clip, confidence=np.array("a")), "confidence must be a numpy"),
    "number": (lambda clip: replace(clip, positions=np.array(0.5)), r"positions have shape \(\)"),
    "no frames": (
        lambda clip: replace(clip, positions=clip.positions[:0], confidence=clip.confidence[:0]),
        "is empty: it has no frames",
    ),
}


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize("task", ["result.recogniser", "sentences.sentence_recogniser"])
@pytest.mark.parametrize("name", WRONG_SOURCES)
def test_what_is_no_clip_is_not_predicted(names: dict[str, Any], name: str, task: str) -> None:
    from slr_ray.errors import DataError

    make, reason = WRONG_SOURCES[name]
    trained, _, kind = task.partition(".")
    recogniser = getattr(names[trained], kind)
    with pytest.raises(DataError, match=reason):
        recogniser.predict(make(names["sentence"]))
    assert recogniser.predict([]) == []


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize("seed", [-1, 0.0, True, "0", None])
def test_a_seed_is_a_whole_number(names: dict[str, Any], seed: Any) -> None:
    from slr_ray.errors import ConfigError

    for call in (slr_ray.train, slr_ray.pretrain):
        with pytest.raises(ConfigError, match=f"seed={seed!r}: give a whole number"):
            call(names["corpus"], seed=seed)
        with pytest.raises(ConfigError, match="nothing"):
            call(names["corpus"], seed=np.int64(0), settings={"nothing": 1})


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize("top", [0, None, 2.0, True])
def test_so_many_glosses_are_a_whole_number(names: dict[str, Any], top: Any) -> None:
    from slr_ray.errors import ConfigError

    recogniser, clip = names["result"].recogniser, names["corpus"].clip(0)
    with pytest.raises(ConfigError, match=f"top={top!r}: ask for one gloss or more"):
        recogniser.predict(clip, top=top)
    assert len(recogniser.predict(clip, top=np.int64(2))[0].top) == 2


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda clip: clip, "of type Clip"),
        (lambda clip: [clip], "of type list"),
        (lambda _: 5, "of type int"),
        (lambda _: "", "empty"),
    ],
)
def test_what_is_no_place_of_shards_is_told(
    names: dict[str, Any], make: Callable[[Clip], Any], told: str
) -> None:
    from slr_ray.errors import DataError

    for call in (slr_ray.open_corpus, slr_ray.train, slr_ray.pretrain):
        with pytest.raises(DataError, match=f"^the location of pose shards is {told}: give a Par"):
            call(make(names["corpus"].clip(0)))


def test_without_a_corpus_a_preset_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command has it; settings are about that corpus."""
    from slr_ray.single import calls

    class Begun(Exception):
        pass

    def begun(prepared: Any, *_: Any) -> str:
        raise Begun(prepared.config.data.kind, len(prepared.corpus.signers))

    for name in ("run_single", "run_pretraining"):
        monkeypatch.setattr(calls, name, begun)
    small = {"data.num_signers": 9, "data.num_glosses": 4}
    few = {"data.num_signers": 9, "data.num_sentences": 20}
    for call, preset, kind, settings in (
        (slr_ray.train, "continuous", "embedded_sentences", few),
        (slr_ray.train, None, "embedded", small),
        (slr_ray.pretrain, "ssl_slr_small", "embedded", small),
    ):
        with pytest.raises(Begun) as found:
            call(preset=preset, settings=settings, out=tmp_path, quiet=True)
        assert found.value.args == (kind, 9)
