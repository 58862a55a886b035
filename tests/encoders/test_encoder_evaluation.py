"""Evaluations of representations against scikit-learn, plain loops, hand values; the command."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from slr_ray.documents.html import to_html
from slr_ray.encoders.map_page import map_document, map_drawings
from slr_ray.evaluation.collapse import measure_collapse
from slr_ray.evaluation.embedding_map import embedding_map
from slr_ray.evaluation.inertia import intra_class_inertia
from slr_ray.evaluation.linear import linear_probe
from slr_ray.evaluation.mlp import mlp_probe
from slr_ray.evaluation.neighbours import neighbour_probe
from slr_ray.evaluation.probe import RepresentedSet, standardised
from slr_ray.records.stages import dumps, loads
from slr_ray.storage import Store


def _clouds(seed: int, count: int = 60, dim: int = 6, spread: float = 1.0) -> RepresentedSet:
    """Clips of three glosses around centres that no seed changes."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 2, (3, dim))
    glosses = rng.integers(3, size=count)
    found = centres[glosses] + spread * rng.normal(size=(count, dim))
    return RepresentedSet(found.astype(np.float32), glosses.astype(np.int64))


def test_the_linear_probe_is_scikit_learns_with_the_strength_that_validates_best() -> None:
    training, validation, test = (_clouds(seed, spread=2.5) for seed in range(3))
    probe = linear_probe(training, validation, 3, strengths=(0.01, 1.0))
    scaler = StandardScaler().fit(training.representations)
    best = None
    for strength in (0.01, 1.0):
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(scaler.transform(training.representations), training.glosses)
        predicted = model.predict(scaler.transform(validation.representations))
        recall = [np.mean(predicted[validation.glosses == one] == one) for one in range(3)]
        if best is None or np.mean(recall) > best[0]:
            best = (np.mean(recall), strength, model)
    assert best is not None
    assert probe.setting == f"C={best[1]:g}"
    assert probe.validation.balanced_accuracy == pytest.approx(best[0])
    expected = best[2].predict_proba(scaler.transform(test.representations))
    np.testing.assert_allclose(probe.classify(test.representations), expected, atol=1e-3)


def test_a_gloss_without_a_training_clip_has_probability_0() -> None:
    training, validation = _clouds(0), _clouds(1)
    probe = linear_probe(training, validation, 5)
    probabilities = probe.classify(validation.representations)
    assert (probabilities[:, 3:] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_neighbours_of_one_are_scikit_learns_by_cosine() -> None:
    training, test = _clouds(0, spread=3.0), _clouds(1, spread=3.0)
    probe = neighbour_probe(training, test, 3, neighbours=(1,))
    reference = KNeighborsClassifier(1, metric="cosine").fit(
        training.representations, training.glosses
    )
    np.testing.assert_array_equal(
        probe.classify(test.representations).argmax(axis=1), reference.predict(test.representations)
    )


def test_neighbours_vote_by_their_similarity_as_a_plain_loop_does() -> None:
    training, test = _clouds(0, count=30), _clouds(1, count=7)
    probe = neighbour_probe(training, test, 3, neighbours=(4,))
    expected = np.zeros((7, 3))
    for row, clip in enumerate(test.representations.astype(np.float64)):
        similar = []
        for other, gloss in zip(training.representations, training.glosses, strict=True):
            cosine = clip @ other / (np.linalg.norm(clip) * np.linalg.norm(other))
            similar.append((float(cosine), int(gloss)))
        for cosine, gloss in sorted(similar, reverse=True)[:4]:
            expected[row, gloss] += np.exp(cosine / 0.07)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probe.classify(test.representations), expected, atol=1e-6)


def test_more_neighbours_than_clips_means_all_of_them() -> None:
    probe = neighbour_probe(_clouds(0, count=5), _clouds(1), 3, neighbours=(50,))
    assert probe.setting == "k=5"


def test_the_mlp_learns_what_no_linear_probe_can() -> None:
    rng = np.random.default_rng(0)
    corners = rng.integers(2, size=(400, 2))
    found = (2.0 * corners - 1 + 0.2 * rng.normal(size=(400, 2))).astype(np.float32)
    every = RepresentedSet(found, (corners[:, 0] ^ corners[:, 1]).astype(np.int64))
    training, validation, test = (
        RepresentedSet(every.representations[part], every.glosses[part])
        for part in (slice(0, 200), slice(200, 300), slice(300, 400))
    )
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    probe = mlp_probe(training, validation, 2, seed=0)
    assert probe.measured(test).accuracy == 1.0
    assert linear_probe(training, validation, 2).measured(test).accuracy < 0.7
    assert torch.equal(torch.random.get_rng_state(), before)
    again = mlp_probe(training, validation, 2, seed=0)
    np.testing.assert_array_equal(
        probe.classify(test.representations), again.classify(test.representations)
    )


def test_validation_chooses_and_test_does_not() -> None:
    training, test = _clouds(0, spread=3.0), _clouds(2, spread=3.0)
    # On these validation clips every gloss is another one's: the choice must follow them.
    validation = _clouds(1, spread=3.0)
    shifted = RepresentedSet(validation.representations, (validation.glosses + 1) % 3)
    chosen = neighbour_probe(training, shifted, 3)
    scores = {}
    for count in (1, 5, 10, 20, 50):
        one = neighbour_probe(training, shifted, 3, neighbours=(count,))
        scores[f"k={count}"] = (one.validation.balanced_accuracy, -one.validation.loss)
    assert chosen.setting == max(scores, key=lambda one: scores[one])
    assert chosen.measured(test).num_clips == 60


@pytest.mark.parametrize("probe", [linear_probe, lambda *args: mlp_probe(*args, seed=0)])
def test_one_gloss_is_nothing_to_learn(probe: object) -> None:
    one = RepresentedSet(np.ones((4, 2), np.float32), np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="two glosses"):
        probe(one, one, 2)  # type: ignore[operator]


def test_a_constant_dimension_is_left_out() -> None:
    found = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    np.testing.assert_allclose(standardised(found)(found + np.float32([0, 2])), [[-1, 0], [1, 0]])


def test_inertia_by_hand() -> None:
    found = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0]])
    inertia = intra_class_inertia(found, np.array([7, 7, 3]))
    # Gloss 7 lies around (1, 0), a distance of 1 each; gloss 3 on its own mean.
    assert inertia.within == pytest.approx(2 / 3)
    assert inertia.total == pytest.approx((16 + 4 + 36) / 3)
    assert inertia.share == pytest.approx(2 / 56)


def test_inertia_ignores_place_and_turn_and_its_share_the_scale() -> None:
    clips = _clouds(0)
    base = intra_class_inertia(clips.representations, clips.glosses)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    moved = intra_class_inertia(clips.representations @ turn + 3.0, clips.glosses)
    assert moved.within == pytest.approx(base.within, rel=1e-5)
    scaled = intra_class_inertia(10 * clips.representations, clips.glosses)
    assert scaled.within == pytest.approx(100 * base.within, rel=1e-5)
    assert scaled.share == pytest.approx(base.share, rel=1e-5)
    # One gloss for all: everything is within it.
    alone = intra_class_inertia(clips.representations, np.zeros(60, np.int64))
    assert alone.share == pytest.approx(1.0)
    point = intra_class_inertia(np.ones((4, 2)), np.array([0, 0, 1, 1]))
    assert point.within == 0
    assert np.isnan(point.share)


def test_collapse_of_one_point_and_of_an_even_spread() -> None:
    point = measure_collapse(np.tile(np.float32([0.3, -1.7, 2.2]), (50, 1)))
    assert point.spread == pytest.approx(0, abs=1e-6)
    assert point.effective_rank == 0
    assert point.mean_cosine == pytest.approx(1)
    even = measure_collapse(np.random.default_rng(0).normal(size=(4000, 16)).astype(np.float32))
    assert even.spread == pytest.approx(1, abs=0.02)
    assert even.effective_rank == pytest.approx(16, rel=0.02)
    assert even.mean_cosine == pytest.approx(0, abs=0.01)
    zero = measure_collapse(np.zeros((3, 4), np.float32))
    assert (zero.spread, zero.effective_rank, zero.mean_cosine) == (0, 0, 0)


def test_dimensions_that_repeat_each_other_lower_the_rank_and_not_the_spread() -> None:
    few = np.random.default_rng(0).normal(size=(500, 2))
    repeated = np.repeat(few, 8, axis=1).astype(np.float32)
    found = measure_collapse(repeated)
    assert found.spread == pytest.approx(1, abs=0.05)
    assert found.effective_rank == pytest.approx(2, rel=0.01)
    with pytest.raises(ValueError, match="two clips"):
        measure_collapse(repeated[:1])


def test_the_map_is_the_same_for_a_seed_and_keeps_clouds_apart() -> None:
    clips = _clouds(0, spread=0.1)
    places = embedding_map(clips.representations, seed=0)
    assert places.shape == (60, 2)
    np.testing.assert_array_equal(places, embedding_map(clips.representations, seed=0))
    probe = neighbour_probe(
        RepresentedSet(places[::2] - places.mean(0), clips.glosses[::2]),
        RepresentedSet(places[1::2] - places.mean(0), clips.glosses[1::2]),
        3,
        neighbours=(1,),
    )
    assert probe.validation.accuracy > 0.9
    with pytest.raises(ValueError, match="at least 4"):
        embedding_map(clips.representations[:3], seed=0)


def test_a_page_names_every_clip_and_runs_no_name_as_code() -> None:
    places = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.5]])
    drawings = map_drawings(places, ["a", "<script>b", "c"], ["x", "y", "x"], ["p", "p", "q&"])
    page = to_html(map_document(drawings, "T<1>"))
    assert page.count("<circle") == 6
    assert "<script>b" not in page
    assert "&lt;script&gt;b" in page
    assert "T&lt;1&gt;" in page
    assert "http://" not in page


_TINY = ["data.num_signers=6", "data.clips_per_block=2", "data.num_glosses=4"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder pre-trained for a few steps on a small embedded corpus."""
    from slr_ray.experiment.experiment import build_experiment
    from slr_ray.experiment.opener import Opener
    from slr_ray.methods.pretraining import pretrained_encoder, save_encoder
    from slr_ray.records.claim import claim
    from slr_ray.records.stages import StageStore
    from slr_ray.storage import Store
    from slr_ray.workers.place import this_place

    tree = {
        "preset": "ssl_slr_small",
        "data": {"num_signers": 6, "clips_per_block": 2, "num_glosses": 4},
        "model": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
        "initialisation": {
            "kind": "pretraining",
            "objective": {"kind": "simclr"},
            "num_steps": 3,
            "batch_size": 8,
        },
        "training": {"max_frames": 8},
    }
    config = build_experiment(tree, "test")
    store = Store(str(tmp_path_factory.mktemp("encoder")))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("SLR_RAY_CACHE", str(tmp_path_factory.mktemp("cache")))
        warnings.simplefilter("ignore")
        stages = StageStore(store.join("stages"))
        prepared = Opener().prepare(config)
        trained = pretrained_encoder(prepared, 0, stages, this_place())
        save_encoder(prepared, 0, trained, store, "encoder.pt")
        claim(store, "pretrain", "pre-training", {})
    return Path(store.location)


def _call(*arguments: str) -> tuple[int, str]:
    from slr_ray.evaluate import evaluate

    app = typer.Typer()
    app.command()(evaluate)
    result = CliRunner().invoke(app, [*arguments, "--num-threads=1"], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("protocol", ["linear", "mlp", "knn", "inertia", "collapse"])
def test_every_protocol_stands_beside_its_references(
    protocol: str, encoder: Path, tmp_path: Path
) -> None:
    call = [f"--encoder={encoder}", f"--protocol={protocol}", f"--out={tmp_path}", *_TINY]
    code, told = _call(*call, "--seeds=2")
    assert code == 0, told
    for name in ("pre-trained encoder", "fresh encoder", "normalised poses"):
        assert name in told
    record = json.loads((tmp_path / f"evaluation-{protocol}.json").read_text())
    assert {len(runs) for runs in record["runs"].values()} == {2}
    # The same encoder and clips give the same twice; fresh weights are drawn by the run.
    if protocol != "mlp":
        first, second = record["runs"]["encoder"]
        assert first == second
        whole = record["summary"]["encoder"].values()
        assert {one["half_width"] for one in whole} == {None}
    fresh, other = record["runs"]["fresh"]
    assert fresh != other


def test_finished_runs_are_not_repeated_and_others_are(encoder: Path, tmp_path: Path) -> None:
    call = [f"--encoder={encoder}", f"--out={tmp_path}", *_TINY]
    assert _call(*call)[0] == 0
    marked = next((tmp_path / "runs").glob("linear-encoder-*.json"))
    content = json.loads(marked.read_text())
    content["setting"] = "C=marked"
    marked.write_text(json.dumps(content))
    assert _call(*call)[0] == 0
    record = json.loads((tmp_path / "evaluation-linear.json").read_text())
    assert record["runs"]["encoder"][0]["setting"] == "C=marked"
    # Another run of the same is added to it.
    assert _call(*call, "--seeds=2")[0] == 0
    record = json.loads((tmp_path / "evaluation-linear.json").read_text())
    first, second = (one["setting"] for one in record["runs"]["encoder"])
    assert first == "C=marked" != second
    marked.write_text("{}")
    code, told = _call(*call)
    assert code == 2
    assert marked.name in told


def test_fine_tuning_uses_the_encoder_and_the_published_share(
    encoder: Path, tmp_path: Path
) -> None:
    call = [f"--encoder={encoder}", "--protocol=semi", f"--out={tmp_path}", *_TINY]
    code, told = _call(*call, "training.num_epochs=1", "training.steps_per_epoch=2")
    assert code == 0, told
    record = json.loads((tmp_path / "evaluation-semi.json").read_text())
    assert set(record["runs"]) == {"encoder", "fresh"}
    pool = record["experiment"]["pool"]
    assert (pool["kind"], pool["fraction"], pool["of"]) == ("fraction", 0.3, "gloss")
    assert record["runs"]["encoder"] != record["runs"]["fresh"]


def test_transfer_is_to_another_corpus(encoder: Path, tmp_path: Path) -> None:
    call = [f"--encoder={encoder}", "--protocol=transfer", f"--out={tmp_path / 'out'}", *_TINY]
    code, told = _call(*call)
    assert code == 2
    assert "another corpus" in told
    assert not (tmp_path / "out").exists()
    code, told = _call(*call, "data.seed=3")
    assert code == 0, told


def _variant(encoder: Path, folder: Path, **changes: Any) -> Path:
    """The encoder file with other facts about it."""
    stored = loads((encoder / "encoder.pt").read_bytes())
    folder.mkdir()
    (folder / "encoder.pt").write_bytes(dumps({**stored, **changes}))
    return folder


def test_encoders_are_one_pre_training_with_different_seeds(encoder: Path, tmp_path: Path) -> None:
    section = loads((encoder / "encoder.pt").read_bytes())["pretraining"]
    longer = _variant(encoder, tmp_path / "longer", seed=1, pretraining={**section, "num_steps": 9})
    clips = torch.arange(3)
    elsewhere = _variant(encoder, tmp_path / "elsewhere", seed=1, clip_hashes=clips)
    out = tmp_path / "out"
    for other, words in (
        (longer, "differ in more than the seed (initialisation.num_steps is 9 and 3)"),
        (elsewhere, "learned from different clips"),
        (encoder, "the same encoder (seed 0): give each once"),
        (_variant(encoder, tmp_path / "copy"), "the same encoder (seed 0): give each once"),
    ):
        code, told = _call(f"--encoder={encoder}", f"--encoder={other}", f"--out={out}", *_TINY)
        assert code == 2
        assert words in told
    assert not out.exists()
    second = _variant(encoder, tmp_path / "second", seed=1)
    call = [f"--encoder={encoder}", f"--encoder={second}", f"--out={out}", "--protocol=knn"]
    assert _call(*call, *_TINY)[0] == 0
    # One of them alone, or another corpus, would replace their record.
    before = (out / "evaluation-knn.json").read_bytes()
    for other_call, words in (
        ([call[0], *call[2:], *_TINY], "holds another evaluation by knn (other encoders)"),
        ([*call, *_TINY, "data.seed=3"], "holds another evaluation by knn (other data"),
        (
            [*call, *_TINY, "--labelled-per-gloss=1"],
            "holds another evaluation by knn (other pool)",
        ),
    ):
        code, told = _call(*other_call)
        assert code == 2
        assert words in told
    assert (out / "evaluation-knn.json").read_bytes() == before
    assert _call(*call, *_TINY)[0] == 0


def test_the_interval_is_over_encoders_and_not_over_their_runs(
    encoder: Path, tmp_path: Path
) -> None:
    stored = loads((encoder / "encoder.pt").read_bytes())
    turned = {name: one.flip(0) for name, one in stored["model"].items()}
    second = _variant(encoder, tmp_path / "second", seed=1, model=turned)
    call = [f"--encoder={encoder}", f"--encoder={second}", "--protocol=knn", *_TINY]
    found = {}
    for num_runs in (2, 6):
        out = tmp_path / str(num_runs)
        code, told = _call(*call, f"--out={out.as_uri()}", f"--seeds={num_runs}")
        assert code == 0, told
        assert ("2 pre-trainings" in told) == (num_runs > 2)
        found[num_runs] = json.loads((out / "evaluation-knn.json").read_text())["summary"]
    for column, one in found[6]["encoder"].items():
        before = found[2]["encoder"][column]
        assert one["num_seeds"] == before["num_seeds"] == 2
        assert one["half_width"] == pytest.approx(before["half_width"])
    assert found[2]["encoder"]["accuracy"]["half_width"] > 0
    assert {one["num_seeds"] for one in found[6]["fresh"].values()} == {6}


def test_a_second_evaluation_in_the_same_folder_is_refused(encoder: Path, tmp_path: Path) -> None:
    with Store(str(tmp_path)).held():
        code, told = _call(f"--encoder={encoder}", f"--out={tmp_path}", *_TINY)
    assert code == 2
    assert "another process is working in" in told


def test_results_stay_out_of_an_encoders_folder(encoder: Path) -> None:
    before = sorted(encoder.rglob("*"))
    code, told = _call(f"--encoder={encoder}", f"--out={encoder}", *_TINY)
    assert code == 2
    assert "holds results of slr_ray.pretrain" in told
    assert sorted(encoder.rglob("*")) == before


def test_signers_that_pre_training_saw_are_named(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from slr_ray.train import train

    call = ["--protocol=knn", *_TINY]
    code, told = _call(f"--encoder={encoder}", f"--out={tmp_path / 'same'}", *call)
    assert code == 0
    assert "pre-training saw" not in told
    record = json.loads((tmp_path / "same" / "evaluation-knn.json").read_text())
    assert record["seen_signers"] == []
    # Other clips of the same names: the clips are new, the people perhaps not.
    all_signers = [f"signer{one:04d}" for one in range(6)]
    assert set(loads((encoder / "encoder.pt").read_bytes())["signers"]) < set(all_signers)
    other = _variant(encoder, tmp_path / "other", signers=all_signers)
    code, told = _call(f"--encoder={other}", f"--out={tmp_path / 'met'}", *call)
    assert code == 0
    record = json.loads((tmp_path / "met" / "evaluation-knn.json").read_text())
    names = record["seen_signers"]
    assert len(names) == 2
    assert f"validation or test signers, if the same name is the same person: {names[0]}" in told
    method = "method.kind=linear"
    train([*_TINY, method], init=str(other), out=str(tmp_path / "trained"), num_threads=1)
    assert "warning: pre-training saw clips of 2 validation or test" in capsys.readouterr().out


def test_the_map_command_writes_pages_and_pictures(encoder: Path, tmp_path: Path) -> None:
    code, told = _call(f"--encoder={encoder}", "--protocol=map", f"--out={tmp_path}", *_TINY)
    assert code == 0, told
    for source in ("encoder", "fresh"):
        assert "<svg" in (tmp_path / f"map-{source}.html").read_text()
        assert "clips by signer" in (tmp_path / f"map-{source}.svg").read_text()


def test_clips_that_pre_training_saw_are_refused(encoder: Path, tmp_path: Path) -> None:
    call = [f"--encoder={encoder}", f"--out={tmp_path}", *_TINY, "split.seed=1"]
    code, told = _call(*call)
    assert code == 2
    assert "pre-trained on" in told
    assert "--allow-seen-clips" in told
    code, told = _call(*call, "--allow-seen-clips")
    assert code == 0, told
    assert "validation and test clips themselves" in " ".join(told.split())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--encoder=ENCODER", "--protocol=liner"], "liner"),
        (["--protocol=knn"], "--encoder"),
        (["--encoder=nowhere"], "no such encoder"),
        (["--encoder=text.pt"], "not an encoder"),
        (["--encoder=ENCODER", "--data=nowhere"], "nowhere"),
        (["--encoder=ENCODER", "--labelled-fraction=3"], "fraction"),
        (["--encoder=ENCODER", "--labelled-fraction=1", "--labelled-signers=2"], "not both"),
        (["--encoder=ENCODER", "training.num_epochs=2"], "only --protocol semi trains"),
        (
            ["--encoder=ENCODER", "--protocol=semi", "method.kind=sslr"],
            "method.kind: evaluate trains supervised or not at all",
        ),
        (
            ["--encoder=ENCODER", "--encoder=other.pt", "--seeds=1"],
            "--seeds: 1 runs do not reach all of 2 encoders",
        ),
        (["--encoder=ENCODER", "initialisation.kind=fresh"], "the encoder decides that"),
        (["--encoder=ENCODER", "--data=one_gloss.parquet"], "1 gloss"),
    ],
)
def test_bad_calls_end_with_exit_status_2(
    arguments: list[str],
    word: str,
    encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate
    from slr_ray.poses.shard_writing import write_shard

    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.pt").write_text("no encoder at all")
    clips = generate(EmbeddedConfig(num_signers=6, clips_per_block=2, num_glosses=2))
    same = [one for one in clips if one.gloss == "flat-chin-out"]
    write_shard(tmp_path / "one_gloss.parquet", same, {"extractor": "test"})
    code, told = _call(*(one.replace("ENCODER", str(encoder)) for one in arguments), "--out=out")
    assert code == 2, told
    assert word in told
    assert not (tmp_path / "out").exists()
