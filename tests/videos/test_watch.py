"""The watch over workers: which beginnings of a clip count against it."""

from __future__ import annotations

from slr_ray.videos.pipeline.watch import Watch


def test_a_clip_is_not_to_blame_for_its_node() -> None:
    living = {"one", "two"}
    watch = Watch(lambda: living)
    assert watch.begin("a", "one", 1) == 1
    # Its worker died and the node lives: the clip may be why.
    assert watch.begin("a", "one", 2) == 2
    living.remove("one")
    assert watch.begin("a", "two", 3) == 1
    assert watch.begin("a", "two", 4) == 2
    watch.end("a")
    assert watch.begin("a", "two", 4) == 1


def test_a_loss_that_becomes_known_late_is_not_counted_later() -> None:
    living = {"one", "two"}
    watch = Watch(lambda: living)
    watch.begin("a", "one", 1)
    assert watch.begin("a", "two", 2) == 2
    living.remove("one")
    assert watch.begin("a", "two", 3) == 2
