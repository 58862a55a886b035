"""Each objective against its paper's formula in plain loops; gradients stop where they should."""

from __future__ import annotations

import gc
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, multiprocessing, nn

from slr_ray.config import Config, alternatives
from slr_ray.models.gathering import gathered
from slr_ray.models.heads import follow
from slr_ray.objectives.byol import Byol, ByolConfig
from slr_ray.objectives.moco import Moco, MocoConfig, info_nce
from slr_ray.objectives.objective import Objective, View
from slr_ray.objectives.simclr import Simclr, SimclrConfig, nt_xent
from slr_ray.objectives.simsiam import Simsiam, SimsiamConfig, negative_cosine
from slr_ray.objectives.sl_fpn import SlFpn, SlFpnConfig
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.workers.place import process_group

WIDTH, CLIPS, FRAMES = 6, 8, 4
KINDS: dict[str, Any] = {
    "sl_fpn": SlFpnConfig(projector_hidden=7, embedding_width=5, predictor_hidden=3),
    "simclr": SimclrConfig(projector_hidden=7, embedding_width=5),
    "moco": MocoConfig(projector_hidden=7, embedding_width=5, queue_clips=12, momentum=0.9),
    "simsiam": SimsiamConfig(projector_hidden=7, embedding_width=5, predictor_hidden=3),
    "byol": ByolConfig(projector_hidden=7, embedding_width=5, predictor_hidden=3, momentum=0.9),
}
# A new objective is covered as it comes.
KINDS = {
    kind: made() for kind, made in alternatives(PretrainingConfig, "objective").items()
} | KINDS
CODED = KINDS["sl_fpn"].model_copy(update={"predictor": "fresh"})
EVERY = KINDS | {"sl_fpn, fresh predictor": CODED}


class MeanOfFrames(nn.Module):
    """A small encoder: the mean of mapped real frames."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, WIDTH)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        frames = self.linear(features).tanh() * mask[..., None]
        return frames.sum(dim=1) / mask.sum(dim=1, keepdim=True)


def view(seed: int, clips: int = CLIPS) -> View:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.arange(FRAMES)[None, :] < torch.randint(1, FRAMES + 1, (clips, 1))
    return torch.randn(clips, FRAMES, 3, generator=generator), mask


def made(config: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return config.build(MeanOfFrames(), WIDTH)


def mse(a: Tensor, b: Tensor) -> Tensor:
    total = torch.zeros(())
    for row_a, row_b in zip(a, b, strict=True):
        for one, other in zip(row_a, row_b, strict=True):
            total = total + (one - other) ** 2
    return total / a.numel()


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum() / (a.square().sum().sqrt() * b.square().sum().sqrt())


@pytest.fixture
def views() -> tuple[View, View, View]:
    torch.manual_seed(3)
    return view(0), view(1), view(2)


class TestSlFpn:
    """Facts of arXiv 2509.05188, section 5.1 and its ablation, section 7."""

    def loss(self, views: tuple[View, View, View], **options: Any) -> tuple[Tensor, Any]:
        objective: SlFpn = made(KINDS["sl_fpn"].model_copy(update=options))
        loss, _ = objective(*views)
        z = [objective.projector(objective.encoder(*one)) for one in views]
        return loss, (z, objective.predictor)

    def test_published(self, views: tuple[View, View, View]) -> None:
        loss, ((z0, z1, z2), predictor) = self.loss(views)
        expected = mse(z1, z2) + mse(z0, z1) + mse(predictor(z0), z2)
        torch.testing.assert_close(loss, expected)

    def test_second_view(self, views: tuple[View, View, View]) -> None:
        loss, ((z0, z1, z2), predictor) = self.loss(views, second_view="view2")
        torch.testing.assert_close(loss, mse(z1, z2) + mse(z0, z2) + mse(predictor(z0), z2))

    def test_permuted(self, views: tuple[View, View, View]) -> None:
        loss, ((z0, z1, z2), predictor) = self.loss(views, permuted=True)
        torch.testing.assert_close(loss, mse(z0, z2) + mse(z1, z0) + mse(predictor(z1), z2))

    def test_without_original(self, views: tuple[View, View, View]) -> None:
        loss, ((_, z1, z2), predictor) = self.loss(views, original=False)
        torch.testing.assert_close(loss, mse(z1, z2) + mse(predictor(z1), z2))

    def test_without_predictor(self, views: tuple[View, View, View]) -> None:
        loss, ((z0, z1, z2), predictor) = self.loss(views, predictor=False)
        assert predictor is None
        torch.testing.assert_close(loss, mse(z1, z2) + mse(z0, z1) + mse(z0, z2))

    def test_as_coded(self, views: tuple[View, View, View]) -> None:
        """Terms of `reconstitution.py`: loss2 + 0.5 * loss3 + loss1."""
        loss, ((z0, z1, z2), predictor) = self.loss(
            views, second_view="view2", prediction_weight=0.5, predictor="fresh"
        )
        torch.testing.assert_close(loss, mse(z2, z1) + 0.5 * mse(predictor(z0), z2) + mse(z0, z2))

    def test_weights(self, views: tuple[View, View, View]) -> None:
        loss, ((z0, z1, z2), predictor) = self.loss(views, original_weight=0, prediction_weight=3)
        torch.testing.assert_close(loss, mse(z1, z2) + 3 * mse(predictor(z0), z2))

    def test_a_fresh_predictor_is_drawn_for_every_step_and_never_learns(self) -> None:
        def drawn(objective: SlFpn, num_steps: int) -> list[Tensor]:
            found = []
            for _ in range(num_steps):
                objective.after_step(0.5)
                assert objective.predictor is not None
                found.append(objective.predictor[0].weight.clone())
            return found

        objective: SlFpn = made(CODED)
        assert not any(one.requires_grad for one in objective.predictor.parameters())
        objective(view(0), view(1), view(2))[0].backward()
        assert all(one.grad is not None for one in objective.projector.parameters())
        first, second = drawn(objective, 2)
        assert not torch.equal(first, second)
        # As torch draws a layer of this size: uniform between plus and minus 1 / sqrt(5).
        assert first.abs().max() <= 5**-0.5 < 1.5 * first.abs().max()
        # A checkpoint knows what comes next, whatever else was drawn meanwhile.
        resumed: SlFpn = made(CODED, seed=9)
        resumed.load_state_dict(objective.state_dict())
        (expected,), (found,) = drawn(objective, 1), drawn(resumed, 1)
        assert torch.equal(found, expected)
        assert not torch.equal(drawn(made(CODED, seed=1), 1)[0], first)

    def test_by_hand(self) -> None:
        """Embeddings 1, 2 and 4 and a predictor that doubles: 4 + 1 + (2 - 4)^2 = 9."""
        objective: SlFpn = made(SlFpnConfig(embedding_width=1, projector_hidden=1))
        objective.projector = nn.Sequential(nn.Identity())
        predictor = nn.Linear(1, 1, bias=False)
        nn.init.constant_(predictor.weight, 2.0)
        objective.predictor = nn.Sequential(predictor)
        objective.encoder = First()
        views = [(torch.full((3, 1, 1), value), torch.ones(3, 1, dtype=torch.bool)) for value in
                 (1.0, 2.0, 4.0)]  # fmt: skip
        assert objective(*views)[0].item() == pytest.approx(9.0)

    def test_the_predicted_view_gets_no_gradient_from_the_prediction(self) -> None:
        """Of the second view's path only MSE(z1, z2) is left; without predictor, both."""
        for predictor, factor in ((True, 1.0), (False, 2.0)):
            objective: SlFpn = made(KINDS["sl_fpn"].model_copy(update={"predictor": predictor}))
            objective.projector = nn.Sequential(nn.Identity())
            objective.predictor = nn.Sequential(nn.Identity()) if predictor else None
            objective.encoder = First()
            mask = torch.ones(2, 1, dtype=torch.bool)
            z0, z1, z2 = (
                torch.full((2, 1, 1), value, requires_grad=True) for value in (1.0, 1.0, 4.0)
            )
            loss, _ = objective((z0, mask), (z1, mask), (z2, mask))
            loss.backward()
            # d/dz2 of (z1 - z2)^2 is 6; it is 6 more where the third term reaches z2. Mean of 2.
            assert z2.grad is not None
            torch.testing.assert_close(z2.grad, torch.full((2, 1, 1), 6.0 * factor / 2))
            assert z0.grad is not None
            torch.testing.assert_close(z0.grad, torch.full((2, 1, 1), -6.0 / 2))

    def test_nothing_is_normalised(self, views: tuple[View, View, View]) -> None:
        """Twice the embedding, four times the loss."""
        objective: SlFpn = made(KINDS["sl_fpn"])
        objective.predictor = nn.Sequential(nn.Identity())
        before = objective(*views)[0]
        with torch.no_grad():
            last = objective.projector[-1]
            last.weight.mul_(2)
            last.bias.mul_(2)
        torch.testing.assert_close(objective(*views)[0], 4 * before)

    def test_needs_the_original(self, views: tuple[View, View, View]) -> None:
        with pytest.raises(ValueError, match="original"):
            made(KINDS["sl_fpn"])(None, views[1], views[2])


class First(nn.Module):
    """The first frame as it is."""

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        return features[:, 0]


class TestSimclr:
    def test_against_loops(self) -> None:
        torch.manual_seed(0)
        z1, z2, temperature = torch.randn(4, 5), torch.randn(4, 5), 0.5
        rows = torch.cat([z1, z2])
        losses = []
        for i in range(8):
            scores = [math.exp(float(cosine(rows[i], rows[k])) / temperature) for k in range(8)]
            positive = scores[(i + 4) % 8]
            losses.append(-math.log(positive / (sum(scores) - scores[i])))
        found = nt_xent(z1, z2, temperature)
        assert found.item() == pytest.approx(sum(losses) / 8, rel=1e-5)

    def test_all_equal_is_guessing(self) -> None:
        ones = torch.ones(4, 5)
        assert nt_xent(ones, ones, 0.1).item() == pytest.approx(math.log(7), rel=1e-5)

    def test_forward(self, views: tuple[View, View, View]) -> None:
        objective: Simclr = made(KINDS["simclr"])
        loss, embedding = objective(None, *views[1:])
        both = objective.projector(torch.cat([objective.encoder(*one) for one in views[1:]]))
        torch.testing.assert_close(embedding, both[:CLIPS])
        torch.testing.assert_close(loss, nt_xent(both[:CLIPS], both[CLIPS:], 0.5))


class TestMoco:
    def test_against_loops(self) -> None:
        torch.manual_seed(0)
        query, key, queue = (
            nn.functional.normalize(torch.randn(rows, 5), dim=-1) for rows in (3, 3, 6)
        )
        losses = []
        for i in range(3):
            positive = math.exp(float(query[i] @ key[i]) / 0.2)
            negative = sum(math.exp(float(query[i] @ one) / 0.2) for one in queue)
            losses.append(-math.log(positive / (positive + negative)))
        assert info_nce(query, key, queue, 0.2).item() == pytest.approx(sum(losses) / 3, rel=1e-5)

    def test_the_queue_turns(self, views: tuple[View, View, View]) -> None:
        objective: Moco = made(KINDS["moco"])  # 12 places, 8 keys a step
        for start in (0, 8):
            expected = nn.functional.normalize(
                objective.key_projector(objective.key_encoder(*views[2])), dim=-1
            )
            objective(None, *views[1:])
            objective.after_step(0.1)
            places = [(start + one) % 12 for one in range(8)]
            torch.testing.assert_close(objective.queue[places], expected)
        assert int(objective.next_row) == 4

    def test_the_loss(self, views: tuple[View, View, View]) -> None:
        objective: Moco = made(KINDS["moco"])
        loss, embedding = objective(None, *views[1:])
        query = nn.functional.normalize(objective.projector(objective.encoder(*views[1])), dim=-1)
        key = nn.functional.normalize(objective.projector(objective.encoder(*views[2])), dim=-1)
        torch.testing.assert_close(loss, info_nce(query, key, objective.queue, 0.5))
        assert embedding.shape == (CLIPS, 5)


class TestSimsiam:
    def test_against_loops(self, views: tuple[View, View, View]) -> None:
        objective: Simsiam = made(KINDS["simsiam"])
        loss, _ = objective(None, *views[1:])
        z1, z2 = (objective.projector(objective.encoder(*one)) for one in views[1:])
        p1, p2 = objective.predictor(z1), objective.predictor(z2)
        rows = [-(cosine(p1[i], z2[i]) + cosine(p2[i], z1[i])) / 2 / CLIPS for i in range(CLIPS)]
        torch.testing.assert_close(loss, torch.stack(rows).sum())

    def test_batch_norm_is_of_one_view(self, views: tuple[View, View, View]) -> None:
        """The first view's embedding does not depend on the second view."""
        objective: Simsiam = made(KINDS["simsiam"])
        _, one = objective(None, views[1], views[2])
        _, other = objective(None, views[1], views[0])
        torch.testing.assert_close(one, other)

    def test_bounds(self) -> None:
        a = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
        assert negative_cosine(a, 3 * a).item() == pytest.approx(-1)
        assert negative_cosine(a, -a).item() == pytest.approx(1)

    def test_the_target_gets_no_gradient(self, views: tuple[View, View, View]) -> None:
        """With a predictor that gives a constant, no gradient reaches the encoder."""
        objective: Simsiam = made(KINDS["simsiam"])
        last = objective.predictor[-1]
        nn.init.zeros_(last.weight)
        objective(None, *views[1:])[0].backward()
        assert all(not one.grad.abs().max() for one in objective.encoder.parameters())


class TestByol:
    def test_against_loops(self, views: tuple[View, View, View]) -> None:
        objective: Byol = made(KINDS["byol"])
        with torch.no_grad():
            for one in objective.target_encoder.parameters():
                one.add_(0.1)
        loss, _ = objective(None, *views[1:])
        p1, p2 = (
            objective.predictor(objective.projector(objective.encoder(*one))) for one in views[1:]
        )
        t1, t2 = (objective.target_projector(objective.target_encoder(*one)) for one in views[1:])
        rows = []
        for p, t in ((p1, t2), (p2, t1)):
            for i in range(CLIPS):
                a, b = p[i] / p[i].norm(), t[i] / t[i].norm()
                rows.append((a - b).square().sum() / CLIPS)
        torch.testing.assert_close(loss, torch.stack(rows).sum())

    def test_momentum_rises(self) -> None:
        objective: Byol = made(KINDS["byol"])
        for progress, share in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.0)):
            with torch.no_grad():
                objective.encoder.linear.weight.fill_(1.0)
                objective.target_encoder.linear.weight.fill_(0.0)
            objective.after_step(progress)
            found = objective.target_encoder.linear.weight
            torch.testing.assert_close(found, torch.full_like(found, share))


@pytest.mark.parametrize("kind", KINDS)
def test_only_learning_parts_get_gradients(kind: str, views: tuple[View, View, View]) -> None:
    objective: Objective = made(KINDS[kind])
    loss, embedding = objective(*views)
    assert embedding.shape == (CLIPS, 5)
    loss.backward()
    for name, parameter in objective.named_parameters():
        learns = not name.startswith(("target_", "key_"))
        assert parameter.requires_grad == learns, name
        assert (parameter.grad is not None) == learns, name


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_clips_does_not_matter(kind: str, views: tuple[View, View, View]) -> None:
    order = torch.randperm(CLIPS, generator=torch.Generator().manual_seed(5))
    objective: Objective = made(KINDS[kind])
    shuffled = [(one[0][order], one[1][order]) for one in views]
    torch.testing.assert_close(objective(*shuffled)[0], objective(*views)[0])


def test_follow_is_an_average() -> None:
    slow, fast = nn.Linear(2, 2), nn.Linear(2, 2)
    expected = 0.75 * slow.weight.detach() + 0.25 * fast.weight.detach()
    follow(slow, fast, 0.75)
    torch.testing.assert_close(slow.weight.detach(), expected)


def _worker(rank: int, world: int, rendezvous: str, results: str) -> None:
    """One gradient step of every objective on this worker's share of the clips."""
    torch.set_num_threads(1)
    with process_group(f"file://{rendezvous}", rank=rank, world_size=world):
        found = {kind: stepped(config, rank, world) for kind, config in EVERY.items()}
    if rank == 0:
        torch.save(found, results)
    gc.collect()
    names = [task.read_text() for task in Path("/proc/self/task").glob("*/comm")]
    assert not any("gloo" in name for name in names), f"the group outlived its end: {names}"


def stepped(config: Config, rank: int, world: int) -> dict[str, Tensor]:
    objective = made(config)
    own = slice(rank * CLIPS // world, (rank + 1) * CLIPS // world)
    torch.manual_seed(3)
    views = [(one[0][own], one[1][own]) for one in (view(0), view(1), view(2))]
    replica = nn.parallel.DistributedDataParallel(objective) if world > 1 else objective
    optimiser = torch.optim.SGD([p for p in objective.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        replica(*views)[0].backward()
        optimiser.step()
        objective.after_step(0.5)
    return objective.state_dict()


def test_two_workers_are_one(tmp_path: Path) -> None:
    """Negatives and batch norm are those of the global batch: two workers end as one does."""
    results = tmp_path / "results.pt"
    multiprocessing.spawn(_worker, (2, str(tmp_path / "rendezvous"), str(results)), nprocs=2)
    found = torch.load(results, weights_only=True)
    for kind, config in EVERY.items():
        expected = stepped(config, 0, 1)
        for name, value in expected.items():
            torch.testing.assert_close(
                found[kind][name], value, rtol=1e-4, atol=1e-5, msg=f"{kind} {name}"
            )


def test_one_worker_gathers_its_own() -> None:
    rows = torch.randn(3, 2)
    assert gathered(rows) is rows
