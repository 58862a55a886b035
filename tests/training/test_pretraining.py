"""Pre-training: deterministic, resumable, blind to what it must not see, and of use later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from experiment_factory import TINY, opened, tiny, trained
from resuming import same
from rich.console import Console

from slr_ray.boundaries.run import BoundaryOptions, run_boundary, run_estimate
from slr_ray.config import merge
from slr_ray.corpora.data import open_data, open_extra
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate
from slr_ray.errors import ConfigError, DataError, RunFailed
from slr_ray.experiment.encoder_file import load_encoder
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.checkpoints import checkpoint_content
from slr_ray.methods.pretraining import (
    check_initialisation,
    pretrained_encoder,
    pretraining_key,
    pretraining_task,
    save_encoder,
)
from slr_ray.methods.recogniser import load_recogniser
from slr_ray.methods.seed_run import prepare_seed
from slr_ray.methods.sslr import FinishedRound, rounds
from slr_ray.poses.reading import read
from slr_ray.poses.shard_writing import write_shard
from slr_ray.pretrain import pretrain as pretrain_command
from slr_ray.records.measured import PretrainingEpoch
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.stages import Checkpoint, StageStore, dumps, loads
from slr_ray.search.search_run import SearchRun, check_data
from slr_ray.search.spaces.space_file import check_space
from slr_ray.single.pretrain import run_pretraining
from slr_ray.single.train import run_single
from slr_ray.storage import Store
from slr_ray.sweeps.objectives import ObjectiveComparison, run_comparison
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.pretraining.loop import (
    CollapseWarning,
    PretrainedEncoder,
    embedding_std,
    pretrain,
)
from slr_ray.training.pretraining.plan import plan
from slr_ray.training.representation import represent_clips
from slr_ray.training.unlabelled import UnlabelledClips, clip_hashes, epoch_rows
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

PLACE = this_place()
OBJECTIVES = ("sl_fpn", "simclr", "moco", "simsiam", "byol")


def with_objective(kind: str, **changes: Any) -> Experiment:
    return tiny(initialisation={"objective": {"kind": kind}, **changes})


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_resumed_at_any_epoch_it_ends_the_same(kind: str) -> None:
    config = with_objective(kind)
    saved: list[bytes] = []
    whole = trained(
        config, Checkpoint(lambda: None, lambda state: saved.append(dumps(state)), every_s=0.0)
    )
    assert len(saved) == len(whole.epochs) == 3
    for content in saved[:2]:
        resumed = trained(config, Checkpoint(lambda one=content: loads(one), lambda _: None))
        assert same(resumed.encoder, whole.encoder)
        assert resumed.epochs == whole.epochs


def test_steps_instead_of_epochs() -> None:
    found = trained(tiny(initialisation={"num_steps": 7}))
    assert found.num_steps == found.epochs[-1].num_steps == 7


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("sl_fpn", {}),
        ("moco", {}),
        ("simclr", {}),
        ("byol", {}),
        ("sl_fpn", {"batch_norm": "all"}),
    ],
)
def test_micro_batches(kind: str, options: dict[str, Any]) -> None:
    """The full batch's step where clips do not meet in the loss, another one where they do."""
    model = {"dropout": 0.0}

    def run(micro: int | None) -> PretrainedEncoder:
        # Plain SGD: AdamW would turn rounding into whole steps.
        section = {
            "objective": {"kind": kind, **options},
            "micro_batch_size": micro,
            "num_steps": 3,
            "optimiser": {"kind": "sgd", "learning_rate": 0.1},
        }
        return trained(tiny(model=model, initialisation=section))

    full, parts = run(None), run(12)  # 11 + 11 + 10 clips
    equal = all(
        torch.allclose(parts.encoder[name], full.encoder[name], rtol=1e-3, atol=1e-5)
        for name in full.encoder
    )
    assert equal == (kind in ("sl_fpn", "moco") and not options)


def test_micro_batches_differ_by_one_clip_at_most() -> None:
    def sizes(num_clips: int, most: int) -> list[int]:
        config = PretrainingConfig(micro_batch_size=most)
        found = plan(config, num_clips, 1).micro_batches
        assert [one.start for one in found] == [0, *(one.stop for one in found[:-1])]
        return [one.stop - one.start for one in found]

    assert sizes(108, 107) == [54, 54]
    assert sizes(32, 12) == [11, 11, 10]
    assert sizes(5, 8) == [5]
    # No part of one clip, which batch norm could not take.
    cut = with_objective("byol", batch_size=33, micro_batch_size=32, num_steps=2)
    assert trained(cut).num_steps == 2


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"micro_batch_size": 1}, r"micro_batch_size=1 cuts 32 clips .* simclr compares"),
        ({"micro_batch_size": 2, "batch_size": 31}, "of which one has a single clip"),
        ({"batch_size": 1}, "a batch of 1 clips is too small"),
        ({"num_steps": 1, "schedule": "warmup_cosine"}, "leave the weights as they are"),
        ({"num_epochs": 1, "batch_size": 99, "schedule": "warmup_cosine"}, "as they are"),
    ],
)
def test_what_would_learn_nothing_is_refused_before_work(
    section: dict[str, Any], message: str, tmp_path: Path
) -> None:
    config = with_objective("simclr", **section)
    with pytest.raises(ConfigError, match=message):
        run_pretraining(opened(config), 0, str(tmp_path / "out"), 1, Console(quiet=True))
    with pytest.raises(ConfigError, match=message):
        run_single(opened(config), 0, str(tmp_path / "out"), 1, Console(quiet=True))
    assert not (tmp_path / "out").exists()
    # Objectives that look at one clip at a time may take them one by one.
    if section == {"micro_batch_size": 1}:
        for kind in ("moco", "sl_fpn"):
            check_initialisation(opened(with_objective(kind, **section)))


OWNERS = ("pretrain", "train", "evaluate", "boundary", "compare", "tune")


@pytest.mark.parametrize("owner", OWNERS)
def test_no_command_writes_into_a_folder_of_another(owner: str, tmp_path: Path) -> None:
    name = "run.json" if owner == "tune" else "claim.json"
    (tmp_path / name).write_text(f'{{"command": "{owner}", "parts": {{}}}}')
    config, out = tiny(), str(tmp_path)
    comparison = ObjectiveComparison(config.model_dump(), ("sl_fpn",), ("boundary",), 1, out)
    prepared, quiet = opened(config), Console(quiet=True)
    commands: dict[str, Callable[[], object]] = {
        "pretrain": lambda: run_pretraining(prepared, 0, out, 1, quiet),
        "train": lambda: run_single(prepared, 0, str(tmp_path), 1, quiet),
        "compare": lambda: run_comparison(comparison, RunOptions()),
        "boundary": lambda: run_boundary(
            prepared, BoundaryOptions("search", 4, None, None, 1, 0), str(tmp_path), 1
        ),
        "estimate": lambda: run_estimate(prepared, str(tmp_path)),
    }
    if owner == "boundary":
        del commands["estimate"]
    for command in commands.keys() - {owner}:
        with pytest.raises(ConfigError, match=rf"holds (results|a run) of slr_ray\.{owner}"):
            commands[command]()
    assert {one.name for one in tmp_path.iterdir()} <= {name, ".lock"}


def test_stages_are_shared_and_resumed(tmp_path: Path) -> None:
    config, stages = tiny(), StageStore(Store(str(tmp_path)))
    seen: list[PretrainingEpoch] = []
    first = pretrained_encoder(opened(config), 0, stages, PLACE, seen.append)
    assert len(seen) == 3
    # Fine-tuning, method and pool are no part of it; watching is none either.
    other = tiny(
        training={"num_epochs": 9},
        pool={"fraction": 0.5},
        method={"num_rounds": 4},
        initialisation={"collapse_threshold": 0.5},
    )
    again = pretrained_encoder(opened(other), 0, stages, PLACE, seen.append)
    assert same(again.encoder, first.encoder)
    assert len(seen) == 3
    key = pretraining_key(opened(config), 0)
    for changed in (
        tiny(model={"dropout": 0.2}),
        tiny(split={"seed": 3}),
        tiny(training={"max_frames": 6}),
        tiny(initialisation={"num_epochs": 4}),
        with_objective("byol"),
    ):
        assert pretraining_key(opened(changed), 0) != key
    assert pretraining_key(opened(config), 1) != key
    shared = opened(tiny(initialisation={"seed": 5}))
    assert pretraining_key(shared, 1) == pretraining_key(shared, 0)


def test_held_out_clips_and_glosses_are_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = opened(tiny())
    own, seen = prepared.problem(0), prepared.pretraining_clips
    assert np.array_equal(np.sort(seen.parts[0][1]), own.split.training)
    hidden = np.concatenate([own.split.validation, own.split.test])
    assert not np.isin(clip_hashes(own.corpus, hidden), seen.hashes()).any()
    everything = opened(tiny(initialisation={"clips": "all"})).pretraining_clips
    assert len(everything) == own.corpus.num_clips

    first = pretrain(pretraining_task(prepared, 0), PLACE)
    index = np.random.default_rng(0).permutation(own.corpus.gloss_index)
    monkeypatch.setitem(own.corpus.__dict__, "gloss_index", index)
    assert same(pretrain(pretraining_task(prepared, 0), PLACE).encoder, first.encoder)


def write_corpus(path: Path, **changes: Any) -> Path:
    """The tiny corpus, or another of its kind, as shards."""
    settings = {key: value for key, value in TINY["data"].items() if key != "kind"}
    clips = generate(EmbeddedConfig(**{**settings, **changes}))
    write_shard(path, clips, {"extractor": "test"})
    return path


def write_split(path: Path, by_signer: bool) -> Path:
    """Every third clip is for test and every third for validation, or every third signer's."""
    corpus = open_data(tiny().data)
    numbers = corpus.signer_index if by_signer else np.arange(corpus.num_clips)
    names = [("training", "validation", "test")[one % 3] for one in numbers]
    rows = [f"{one},{name}" for one, name in zip(corpus.clip_ids.to_pylist(), names, strict=True)]
    path.write_text("\n".join(["clip_id,split", *rows]))
    return path


@pytest.mark.parametrize("kind", ["signer", "clip", "file", "file by signer"])
def test_extra_data_is_without_what_is_measured(kind: str, tmp_path: Path) -> None:
    how: dict[str, Any] = {"kind": kind.split()[0]}
    if how["kind"] == "file":
        how["path"] = str(write_split(tmp_path / "split.csv", by_signer=kind != "file"))
    same = write_corpus(tmp_path / "same.parquet")
    other = write_corpus(tmp_path / "other.parquet", seed=2)
    config = tiny(split=how, initialisation={"extra_data": [str(same), str(other)]})
    prepared = opened(config)
    seen, own = prepared.pretraining_clips, prepared.problem(0)
    measured = np.concatenate([own.split.validation, own.split.test])
    assert not np.isin(clip_hashes(own.corpus, measured), seen.hashes()).any()
    extra = open_extra(str(other), config.data)
    everything = len(own.split.training) + own.corpus.num_clips + extra.num_clips
    assert len(seen) + seen.num_left_out == everything
    assert f"; {seen.num_left_out} of extra data left out" in seen.described()
    # Other clips of the people who are measured are left out where training has none of them.
    names = {own.corpus.signers[one] for one in own.corpus.signer_index[measured]}
    of_them = [extra.signers[one] in names for one in extra.signer_index]
    by_signer = kind in ("signer", "file by signer")
    assert seen.num_left_out == len(measured) + (sum(of_them) if by_signer else 0)
    prepared.refuse_measured_clips()


def test_a_trial_does_not_pre_train_on_what_it_measures(tmp_path: Path) -> None:
    config = tiny(initialisation={"clips": "all"})
    message = r"pre-training would learn from \d+ of the \d+ validation clips"
    with pytest.raises(ConfigError, match=message):
        run_rounds(config, tmp_path)
    with pytest.raises(ConfigError, match=message):
        run_single(opened(config), 0, str(tmp_path / "out"), 1, Console(quiet=True))
    comparison = ObjectiveComparison(
        config.model_dump(), ("sl_fpn",), ("boundary",), 1, str(tmp_path / "out")
    )
    with pytest.raises(ConfigError, match=message):
        run_comparison(comparison, RunOptions())
    options = BoundaryOptions("search", 4, None, None, 1, 0)
    with pytest.raises(ConfigError, match=message):
        run_boundary(opened(config), options, str(tmp_path / "out"), 1)
    # A branch of a space is enough.
    written = {
        **config.model_dump(mode="json"),
        "name": "leak",
        "initialisation": {
            "choose": [{"kind": "fresh"}, {"kind": "pretraining", "clips": "all"}],
        },
    }
    folder = RunFolder(str(tmp_path / "out"))
    run = SearchRun(folder, check_space(written, "leak", {}), RunOptions(), [])
    with pytest.raises(ConfigError, match=message):
        check_data(run)
    assert not (tmp_path / "out").exists()


def test_broken_clips_are_left_out_as_the_message_says(tmp_path: Path) -> None:
    """In extra data, too; `--skip-broken` is no option of every command."""
    good = write_corpus(tmp_path / "good.parquet", seed=2)
    clip = next(iter(generate(EmbeddedConfig(num_glosses=4, num_signers=4))))
    write_shard(tmp_path / "broken.parquet", [clip, clip], {"extractor": "test"})
    broken = str(tmp_path / "broken.parquet")
    shards: dict[str, Any] = {"kind": "shards", "location": str(good)}
    extra = {"extra_data": [broken]}
    with pytest.raises(DataError, match=r"appears twice\. Pass data\.skip_broken=true to leave"):
        open_data(tiny(data={"kind": "shards", "location": broken}).data)
    with pytest.raises(DataError, match=r"Pass data\.skip_broken=true to leave"):
        opened(tiny(data=shards, initialisation=extra))
    with pytest.raises(DataError, match=r"Pass --data and data\.skip_broken=true to leave"):
        opened(tiny(initialisation=extra))
    config = tiny(data={**shards, "skip_broken": True}, initialisation=extra)
    seen = opened(config).pretraining_clips
    assert [len(clips) for _, clips in seen.parts[1:]] == [1]


def run_rounds(config: Experiment, folder: Path, seed: int = 0) -> list[FinishedRound]:
    stages = StageStore(Store(str(folder)))
    return list(rounds(prepare_seed(opened(config), seed, stages, PLACE)))


_FROZEN = {"optimiser": {"kind": "sgd", "learning_rate": 1e-12}, "ema_decay": None}


def test_every_round_starts_from_the_encoder(tmp_path: Path) -> None:
    """With a learning rate of nearly 0 the rounds keep what pre-training gave them."""
    config = tiny(training=_FROZEN)
    stages = StageStore(Store(str(tmp_path)))
    encoder = pretrained_encoder(opened(config), 0, stages, PLACE).encoder
    done = run_rounds(config, tmp_path)
    assert len(done) == 2
    for one in done:
        for name, value in encoder.items():
            torch.testing.assert_close(one.model_state[name], value)
    a, b = (one.model_state["classifier.weight"] for one in done)
    assert not torch.equal(a, b)


def test_spoter_and_each_preset_can_be_pre_trained(tmp_path: Path) -> None:
    """SPOTER's encoder as well; a preset alone is pre-training and fine-tuning in one."""
    spoter = {
        "kind": "spoter",
        "width": 12,
        "num_heads": 2,
        "hidden": 8,
        "num_encoder_layers": 1,
        "positions": "sinusoidal",
    }
    one = run_rounds(tiny(model=spoter, method={"num_rounds": 0}), tmp_path)
    assert "class_query" in one[0].model_state
    for name in ("ssl_slr", "ssl_slr_small"):
        config = build_experiment({"preset": name}, "test")
        assert config.initialisation.kind == "pretraining"
        assert config.model.kind == "pose_transformer"


def test_a_preset_has_settings_by_objective() -> None:
    def section(**objective: Any) -> Any:
        tree = {"preset": "ssl_slr_small", "initialisation": {"objective": objective}}
        return build_experiment(tree, "test").initialisation

    assert section().objective.batch_norm == "hidden"
    assert section(kind="sl_fpn", batch_norm="none").objective.batch_norm == "none"
    assert section(kind="moco", temperature=0.2).objective.queue_clips == 1024
    assert section(kind="moco").optimiser.learning_rate > section().optimiser.learning_rate
    published = build_experiment({"preset": "ssl_slr"}, "test").initialisation
    assert published == PretrainingConfig()


def test_the_authors_code_is_a_preset() -> None:
    small = {
        "preset": "ssl_slr_coded",
        "data": TINY["data"],
        "model": {"width": 16, "num_heads": 2},
        "initialisation": {"batch_size": 32, "num_steps": 3, "collapse_threshold": 0.0},
    }
    config = build_experiment(small, "test")
    section: Any = config.initialisation
    coded = section.objective
    assert (coded.second_view, coded.prediction_weight, coded.predictor) == ("view2", 0.5, "fresh")
    assert (section.augmentation.head_fraction, section.augmentation.tail_fraction) == (1 / 3, 0)
    assert (section.optimiser.learning_rate, section.optimiser.weight_decay) == (1e-4, 0.01)
    assert config.training.optimiser.learning_rate == 0.01
    assert trained(config).num_steps == 3
    # What is the objective's stays with it.
    byol = merge(small, {"initialisation": {"objective": {"kind": "byol"}}})
    assert build_experiment(byol, "test").initialisation.optimiser.learning_rate == 0.06


@pytest.mark.parametrize(
    ("kind", "at_256", "weight_decay", "warmup_epochs"),
    [
        ("moco", 0.03, 1e-4, 0),
        ("simsiam", 0.05, 1e-4, 0),
        ("simclr", 0.3, 1e-6, 10),
        ("byol", 0.2, 1.5e-6, 10),
    ],
)
def test_peers_of_the_published_preset_have_their_papers_optimisers(
    kind: str, at_256: float, weight_decay: float, warmup_epochs: int
) -> None:
    tree = {"preset": "ssl_slr", "initialisation": {"objective": {"kind": kind}}}
    found: Any = build_experiment(tree, "test").initialisation
    optimiser = found.optimiser
    assert optimiser.learning_rate == pytest.approx(at_256 * found.batch_size / 256)
    assert (optimiser.momentum, optimiser.weight_decay) == (0.9, weight_decay)
    assert found.schedule == "warmup_cosine"
    assert found.warmup_fraction * found.num_epochs == pytest.approx(warmup_epochs)
    tree["initialisation"]["optimiser"] = {"learning_rate": 0.5}  # type: ignore[index]
    own: Any = build_experiment(tree, "test").initialisation
    assert (own.optimiser.learning_rate, own.optimiser.momentum) == (0.5, 0.9)


def test_kinds_need_not_be_named() -> None:
    section = {
        "kind": "pretraining",
        "augmentation": {"head_fraction": 0.2},
        "optimiser": {"learning_rate": 0.5},
    }
    for preset, kind in (("ssl_slr", "sgd"), ("ssl_slr_small", "adamw"), ("modern", "sgd")):
        found: Any = build_experiment({"preset": preset, "initialisation": section}, "test")
        views, optimiser = found.initialisation.augmentation, found.initialisation.optimiser
        assert (views.kind, views.head_fraction) == ("boundary", 0.2)
        assert (optimiser.kind, optimiser.learning_rate) == (kind, 0.5)


def file_config(path: Path, **changes: Any) -> Experiment:
    tree = {key: value for key, value in TINY.items() if key in ("data", "pool", "method")}
    # The preset's optimiser would average weights.
    tree["training"] = {**_FROZEN, "num_epochs": 1, "steps_per_epoch": 1}
    tree["initialisation"] = {"kind": "encoder", "path": str(path)}
    return Opener().build(merge(tree, changes), "test")


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tiny()
    folder = tmp_path_factory.mktemp("encoder")
    save_encoder(opened(config), 0, trained(config), Store(str(folder)), "encoder.pt")
    return folder / "encoder.pt"


class TestEncoderFile:
    def test_it_has_all_it_takes(self, encoder_file: Path) -> None:
        config = tiny()
        for path in (encoder_file, encoder_file.parent):
            encoder = load_encoder(path)
            assert same(dict(encoder.weights), trained(config).encoder)
        assert encoder.model_config == config.model
        assert encoder.normalisation == config.normalisation
        assert (encoder.max_frames, encoder.seed) == (8, 0)
        assert encoder.signers == tuple(opened(config).pretraining_clips.signers())
        assert encoder.fingerprints == (open_data(config.data).fingerprint,)
        assert len(encoder.epochs) == 3
        clips = np.arange(20)
        found = represent_clips(
            encoder.model,
            open_data(config.data),
            clips[::-1].copy(),
            normalisation=encoder.normalisation,
            max_frames=encoder.max_frames,
            device=torch.device("cpu"),
        )
        again = represent_clips(
            encoder.model,
            open_data(config.data),
            clips,
            normalisation=encoder.normalisation,
            max_frames=encoder.max_frames,
            device=torch.device("cpu"),
        )
        np.testing.assert_allclose(found[::-1], again, atol=1e-5)

    def test_rounds_start_from_it(self, encoder_file: Path, tmp_path: Path) -> None:
        config = file_config(encoder_file)
        assert config.training.max_frames == 8
        done = run_rounds(config, tmp_path)
        for name, value in load_encoder(encoder_file).weights.items():
            torch.testing.assert_close(done[0].model_state[name], value)

    def test_a_recogniser_does_without_the_file(self, encoder_file: Path, tmp_path: Path) -> None:
        moved = tmp_path / "encoder.pt"
        moved.write_bytes(encoder_file.read_bytes())
        config = file_config(moved, method={"num_rounds": 0})
        (done,) = run_rounds(config, tmp_path)
        content = checkpoint_content(opened(config), done.model_state)
        (tmp_path / "checkpoint.pt").write_bytes(dumps(content))
        moved.unlink()
        recogniser = load_recogniser(str(tmp_path / "checkpoint.pt"))
        assert recogniser.config == config
        found = recogniser.probabilities(open_data(config.data), np.arange(3))
        assert found.shape == (3, 4)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"model": {"width": 32}}, r"model\.width is set to 32, but .* has 16"),
            ({"training": {"max_frames": 16}}, r"training\.max_frames is set to 16"),
            ({"normalisation": {"kind": "spoter"}}, r"normalisation\.kind is set to 'spoter'"),
        ],
    )
    def test_contradictions(
        self, encoder_file: Path, changes: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ConfigError, match=message):
            file_config(encoder_file, **changes)

    def test_what_agrees_or_only_regularises_is_fine(self, encoder_file: Path) -> None:
        config = file_config(encoder_file, model={"width": 16, "dropout": 0.3})
        assert config.model.dropout == 0.3
        # What is written beside a result can be run again.
        assert build_experiment(config.model_dump(mode="json"), "again") == config

    def test_measuring_on_seen_clips_is_refused(self, encoder_file: Path, tmp_path: Path) -> None:
        other = {"split": {"seed": 3}}
        with pytest.raises(ConfigError, match=r"pre-trained on \d+ of the \d+ validation clips"):
            run_rounds(file_config(encoder_file, **other), tmp_path)
        allowed = {"initialisation": {"allow_seen_clips": True}, "method": {"num_rounds": 0}}
        assert run_rounds(file_config(encoder_file, **other, **allowed), tmp_path)

    def test_no_encoder(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no such encoder"):
            load_encoder(tmp_path / "nowhere.pt")
        text = tmp_path / "text.pt"
        text.write_text("no tensors")
        with pytest.raises(DataError, match=r"loaded safely; make one with .*pretrain`$"):
            load_encoder(text)
        text.write_bytes(dumps({"format": 1}))
        with pytest.raises(DataError, match="is not an encoder"):
            load_encoder(text)


def test_embedding_std_by_hand() -> None:
    """Unit vectors along the axes and their opposites: each dimension is +-1 once among 2 n."""
    spread = torch.cat([torch.eye(8), -torch.eye(8)]) * 3
    expected = (2 / 15) ** 0.5 * 8**0.5
    assert embedding_std(spread).item() == pytest.approx(expected, rel=1e-5)
    assert embedding_std(torch.ones(6, 4)).item() == pytest.approx(0, abs=1e-6)


def test_batches_hold_every_clip_at_most_once() -> None:
    rows = list(epoch_rows(np.arange(100) % 7, 16, np.random.default_rng(0)))
    assert [len(one) for one in rows] == [16] * 6
    assert len(np.unique(np.concatenate(rows))) == 96


def test_two_corpora_under_one_index() -> None:
    first = open_data(tiny().data)
    second = open_data(tiny(data={"seed": 2}).data)
    clips = UnlabelledClips(((first, np.array([3, 5])), (second, np.array([7]))))
    batch = read(clips, np.array([2, 0]), 8)
    alone = read(UnlabelledClips(((second, np.array([7])),)), np.array([0]), 8)
    frames = alone.positions.shape[1]
    torch.testing.assert_close(batch.positions[:1, :frames], alone.positions)
    # The same ids, other poses: other clips.
    assert not np.isin(clip_hashes(first, np.arange(9)), clip_hashes(second, np.arange(9))).any()


def history(objective: dict[str, Any], optimiser: dict[str, Any], **model: Any) -> list[float]:
    """The embedding's standard deviation by epoch."""
    section = {
        "objective": objective,
        "optimiser": optimiser,
        "num_epochs": 40,
        "batch_size": 64,
        "seed": 1,
        "collapse_threshold": 0.0,
    }
    return [one.embedding_std for one in trained(tiny(model=model, initialisation=section)).epochs]


class TestCollapse:
    """The ablation of arXiv 2509.05188, section 7, on a small run.

    What agrees: without predictor (and stop-gradient) and without layer norm, the embedding
    collapses. What does not: with both it shrinks as well as soon as the optimiser moves far, for
    two of the loss's three terms have no stop-gradient and a constant embedding minimises all
    three; at the paper's SGD of 0.001 it hardly moves. Batch norm behind the projector prevents it.
    """

    fast: ClassVar[dict[str, Any]] = {"kind": "adamw", "learning_rate": 0.003}

    def test_without_predictor_and_layer_norm(self) -> None:
        without: dict[str, Any] = {"kind": "sl_fpn", "predictor": False}
        found = history(without, self.fast, layer_norm="none")
        assert found[-1] < found[9] < found[0]
        assert found[-1] < 0.03

    def test_with_both_it_takes_the_published_optimiser(self) -> None:
        slow = history({"kind": "sl_fpn"}, {"kind": "sgd", "learning_rate": 0.001})
        assert slow[-1] > 0.8 * slow[0]
        quick = history({"kind": "sl_fpn"}, self.fast)
        assert quick[-1] < 0.5 * quick[0]

    @pytest.mark.parametrize("layer_norm", ["all", "none"])
    def test_batch_norm_prevents_it(self, layer_norm: str) -> None:
        found = history({"kind": "sl_fpn", "batch_norm": "all"}, self.fast, layer_norm=layer_norm)
        assert min(found) > 0.9

    def test_warning_and_stop(self) -> None:
        section = {"collapse_threshold": 0.9, "num_epochs": 2}
        with pytest.warns(CollapseWarning, match=r"below collapse_threshold 0\.9"):
            trained(tiny(initialisation=section))
        with pytest.raises(RunFailed, match=r"collapsed: its standard deviation is 0\.\d+ of 1"):
            trained(tiny(initialisation={**section, "stop_on_collapse": True}))


class TestCommand:
    def run(self, out: Path, *overrides: str, **options: Any) -> None:
        small = [
            "data.num_glosses=4",
            "data.num_signers=8",
            "training.max_frames=8",
            "initialisation.batch_size=64",
            "initialisation.num_steps=4",
            *overrides,
        ]
        pretrain_command(small, out=str(out), num_threads=1, **options)

    def test_it_writes_an_encoder_and_resumes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.run(tmp_path, objective="byol", augmentation="standard")
        encoder = load_encoder(tmp_path)
        assert encoder.config.objective.kind == "byol"
        assert encoder.config.augmentation.kind == "standard"
        assert "collapsed below" in (tmp_path / "curves.svg").read_text()
        assert list((tmp_path / "tensorboard" / "pretraining").iterdir())
        assert len(Store(str(tmp_path)).read_json("history.json")) == len(encoder.epochs)
        self.run(tmp_path, objective="byol", augmentation="standard")
        assert load_encoder(tmp_path).sha256 == encoder.sha256
        with pytest.raises(SystemExit) as ended:
            self.run(tmp_path, objective="simclr")
        assert ended.value.code == 2
        assert "holds another pre-training" in capsys.readouterr().err

    def test_epochs_and_steps_are_not_given_together(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            self.run(tmp_path, epochs=2)
        assert ended.value.code == 2
        assert "--epochs or initialisation.num_steps" in capsys.readouterr().err

    @pytest.mark.parametrize("canonical", [True, False])
    def test_a_flip_without_effect_is_said(
        self, canonical: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.run(
            tmp_path,
            f"normalisation.canonical_hand={canonical}",
            objective="byol",
            augmentation="standard",
        )
        assert ("standard views are flipped without effect" in capsys.readouterr().out) == canonical

    def test_divergence_ends_with_its_advice(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rate = "initialisation.optimiser.learning_rate"
        with pytest.raises(SystemExit) as ended:
            self.run(tmp_path, "initialisation.optimiser.kind=sgd", f"{rate}=1e+30")
        assert ended.value.code == 1
        told = capsys.readouterr().err
        assert told.startswith("error: the loss is nan")
        assert f"lower {rate} (1e+30)" in told

    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("initialisation.objective.temprature=1", "did you mean 'temperature'"),
            ("initialisation.extra_data=[nowhere.parquet]", "nowhere.parquet"),
            ("initialisation.augmentation.head_fraction=0.9", "more than a clip"),
        ],
    )
    def test_bad_calls(
        self, override: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            self.run(tmp_path, override, objective="simclr", augmentation="boundary")
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
