"""Chains of isolated clips: every clip once, real signs, smooth transitions, told as such."""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from clip_factory import clips_of, make_sentence
from typer.testing import CliRunner

from slr_ray.boundaries.chaining import chain
from slr_ray.boundaries.chains import ChainConfig, Link, join, plan_chains
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.corpora.embedded.corpus import EmbeddedConfig, generate, open_embedded
from slr_ray.corpora.split_checks import split_warnings
from slr_ray.corpora.splits import SentencesSplitConfig, SignerSplitConfig, split_corpus
from slr_ray.data import app
from slr_ray.errors import ConfigError, DataError, StorageError
from slr_ray.poses.clip import check_clip
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.skeleton import LEFT_HAND

ISOLATED = EmbeddedConfig(num_signers=3, clips_per_block=3, num_glosses=6)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return open_embedded(ISOLATED)


def _link(
    start: int, end: int, centre: tuple[float, float] = (0.5, 0.5), unit: float = 0.2
) -> Link:
    return Link(0, start, end, np.array(centre, np.float32), unit)


def test_a_sentence_is_whole_signs_and_reaches_between_them_by_hand() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.uniform(0.2, 0.8, (2, 6, 54, 3))
    here, there = _link(1, 4, (0.5, 0.4), 0.2), _link(2, 5, (0.3, 0.6), 0.4)
    frames, times = join([first, second], [here, there], [4])
    # The first clip's head and the last one's tail stay: 4 frames, 4 of the reach, 4 frames.
    assert times == ((1, 4), (8, 11))
    assert len(frames) == 12
    np.testing.assert_allclose(frames[:4], first[:4], rtol=1e-6)
    moved = second.copy()
    moved[..., 0] = (second[..., 0] - 0.3) / 0.4 * 0.2 + 0.5
    moved[..., 1] = (second[..., 1] - 0.6) / 0.4 * 0.2 + 0.4
    np.testing.assert_allclose(frames[8:], moved[2:], rtol=1e-5)
    for step in range(1, 5):
        share = step / 5
        eased = 10 * share**3 - 15 * share**4 + 6 * share**5
        between = first[3] + eased * (moved[2] - first[3])
        np.testing.assert_allclose(frames[3 + step], between, rtol=1e-5)


def test_a_joint_goes_from_where_it_was_last_found_or_is_missing() -> None:
    clips = np.full((2, 6, 54, 3), 0.5)
    clips[0, 1:, LEFT_HAND] = 0  # Lost for longer than three frames.
    clips[0, 4:, 0] = 0
    clips[0, 3, 0, :2] = 0.3
    clips[1, :2, 0] = 0
    frames, times = join(list(clips), [_link(0, 6), _link(0, 6)], [3])
    assert times == ((0, 6), (9, 15))
    assert (frames[1:9, LEFT_HAND] == 0).all()
    assert (frames[9, LEFT_HAND, 2] == 0.5).all()
    # Frames of the signs stay as they are.
    assert (frames[[4, 5, 9, 10], 0] == 0).all()
    np.testing.assert_allclose(frames[7, 0, :2], 0.4)
    assert (frames[6:9, 0, 2] == 0.5).all()


def test_every_clip_is_used_once_and_no_gloss_twice(corpus: Corpus) -> None:
    chains = plan_chains(corpus, ChainConfig(shortest=2, longest=4))
    links = [link for one in chains.sentences for link in one.links]
    assert max(Counter(link.clip for link in links).values()) == 1
    assert len(links) + sum(chains.left_out.values()) == corpus.num_clips
    lengths = Counter(len(one.links) for one in chains.sentences)
    assert set(lengths) == {2, 3, 4}
    for one in chains.sentences:
        clips = np.array([link.clip for link in one.links])
        assert len(set(corpus.signer_index[clips])) == 1
        assert len(set(corpus.gloss_index[clips])) == len(clips)
        assert len(one.gaps) == len(clips) - 1
        assert all(4 <= gap <= 8 for gap in one.gaps)
    # Nothing is left that could go together.
    used = {link.clip for link in links}
    alone = [clip for clip in range(corpus.num_clips) if clip not in used]
    reasons = chains.left_out["without clips of other glosses to go with"]
    blocks = {(int(corpus.signer_index[clip]), int(corpus.gloss_index[clip])) for clip in alone}
    if reasons == len(alone):
        assert max(Counter(signer for signer, _ in blocks).values()) == 1


def _named(corpus: Corpus, config: ChainConfig) -> dict[str, list[str]]:
    return {
        one.clip_id: [corpus.clip_ids[link.clip].as_py() for link in one.links]
        for one in plan_chains(corpus, config).sentences
    }


def test_two_ways_to_write_a_rate_are_one(corpus: Corpus, tmp_path: Path) -> None:
    clips = [
        dataclasses.replace(corpus.clip(place), fps=(29.97, 30000 / 1001, 25.0)[place % 3])
        for place in range(corpus.num_clips)
    ]
    write_shard(tmp_path / "rates.parquet", clips, {})
    chains = plan_chains(open_shards(str(tmp_path / "rates.parquet")), ChainConfig(shortest=2))
    names = [one.clip_id for one in chains.sentences]
    assert len(set(names)) == len(names)
    assert {name.split("-")[3] for name in names} == {"29.97fps", "25fps"}


def test_the_seed_says_which_and_other_signers_do_not_matter(
    corpus: Corpus, tmp_path: Path
) -> None:
    all_of_them = _named(corpus, ChainConfig())
    assert _named(corpus, ChainConfig()) == all_of_them
    assert _named(corpus, ChainConfig(seed=1)) != all_of_them
    mine = [clip for clip in generate(ISOLATED) if clip.signer == "signer0001"]
    write_shard(tmp_path / "one.parquet", mine, {})
    alone = _named(open_shards(str(tmp_path / "one.parquet")), ChainConfig())
    assert alone == {name: clips for name, clips in all_of_them.items() if "signer0001" in name}


def test_the_command_writes_sentences_whose_times_hold_the_signs(tmp_path: Path) -> None:
    write_shard(tmp_path / "signs.parquet", generate(ISOLATED), {"extractor": "a test"})
    out = tmp_path / "out" / "chains.parquet"
    called = CliRunner().invoke(app, ["chain", str(tmp_path / "signs.parquet"), str(out)])
    assert called.exit_code == 0
    source, made = open_shards(str(tmp_path / "signs.parquet")), open_shards(str(out))
    record = made.provenance[0]
    assert (record["extractor"], record["transitions"]) == ("chain", "synthetic")
    assert record["source_provenance"] == [{"extractor": "a test"}]
    assert f"{made.num_clips:,}" in called.stdout
    assert "transitions between them are synthetic" in called.stdout

    with out.with_name("chains.parquet.clips.csv").open() as file:
        rows = list(csv.DictReader(file))
    ids = {one: index for index, one in enumerate(source.clip_ids.to_pylist())}
    by_sentence: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_sentence.setdefault(row["clip_id"], []).append(row)
    assert len(by_sentence) == made.num_clips
    assert len({row["source_clip_id"] for row in rows}) == len(rows)
    for index in range(made.num_clips):
        clip = made.clip(index)
        check_clip(clip)
        assert clip.clip_id.startswith("synthetic-chain-")
        signs = by_sentence[clip.clip_id]
        assert clip.sentence.glosses == tuple(row["gloss"] for row in signs)
        for row, (start, end) in zip(signs, clip.sentence.times, strict=True):
            sign = source.clip(ids[row["source_clip_id"]])
            assert (sign.gloss, sign.signer) == (row["gloss"], clip.signer)
            frames = slice(int(row["start_frame"]), int(row["end_frame"]))
            np.testing.assert_array_equal(clip.confidence[start:end], sign.confidence[frames])


def test_a_split_tells_that_transitions_are_synthetic(corpus: Corpus, tmp_path: Path) -> None:
    write_shard(tmp_path / "signs.parquet", generate(ISOLATED), {})
    chain(str(tmp_path / "signs.parquet"), tmp_path / "chains.parquet", ChainConfig())
    made = open_shards(str(tmp_path / "chains.parquet"))
    by_signer, by_sequence = (
        " ".join(split_warnings(made, split_corpus(made, config)))
        for config in (SignerSplitConfig(), SentencesSplitConfig())
    )
    assert "transitions are synthetic" in by_signer
    assert "near-copies" not in by_signer
    assert "share near-copies of signs" in by_sequence
    assert "synthetic" not in " ".join(
        split_warnings(corpus, split_corpus(corpus, SignerSplitConfig()))
    )


def test_what_can_not_be_chained_is_one_error(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"at least 5 .* at most 3: lower --shortest"):
        plan_chains(corpus, ChainConfig(shortest=5, longest=3))
    with pytest.raises(DataError, match=r"no signer has clips of 7 glosses"):
        plan_chains(corpus, ChainConfig(shortest=7, longest=9))
    with pytest.raises(ConfigError, match=r"chains\.csv.*ends in \.parquet"):
        chain("anywhere", tmp_path / "chains.csv", ChainConfig())

    def opened(name: str, clips: list) -> Corpus:
        for clip in clips:
            clip.positions[:] = clip.positions[0]
        write_shard(tmp_path / f"{name}.parquet", clips, {})
        return open_shards(str(tmp_path / f"{name}.parquet"))

    lonely = clips_of([("ann", "a"), ("ann", None), (None, "b"), ("bob", "a")], 9)
    with pytest.raises(DataError, match=r"2 without gloss or signer, 2 without clips of other"):
        plan_chains(opened("lonely", lonely), ChainConfig())
    short = clips_of([("ann", "a"), ("ann", "b")], 2)
    with pytest.raises(DataError, match=r"2 with a sign of fewer than 4 frames"):
        plan_chains(opened("short", short), ChainConfig())
    hands = clips_of([("ann", "a"), ("ann", "b")], 9)
    for clip in hands:
        clip.confidence[:, : LEFT_HAND.start] = 0
        clip.positions[:, : LEFT_HAND.start] = 0
    with pytest.raises(DataError, match=r"2 without shoulders"):
        plan_chains(opened("hands", hands), ChainConfig())
    with pytest.raises(DataError, match=r"sentences already"):
        plan_chains(opened("sentences", [make_sentence()]), ChainConfig())


def test_a_place_that_can_not_be_written_is_one_error(tmp_path: Path) -> None:
    write_shard(tmp_path / "signs.parquet", clips_of([("ann", "a"), ("ann", "b")], 9), {})
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        chain(str(tmp_path / "signs.parquet"), tmp_path / "file" / "x.parquet", ChainConfig())
    for source in (tmp_path / "signs.parquet", tmp_path):
        with pytest.raises(ConfigError, match="would be replaced: name another OUT"):
            chain(str(source), tmp_path / "signs.parquet", ChainConfig())
