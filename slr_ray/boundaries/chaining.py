"""The command that chains clips: one corpus of isolated signs in, one shard of sentences out."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from slr_ray.boundaries.chains import ChainConfig, Chains, chained, plan_chains
from slr_ray.console import literal_console
from slr_ray.corpora.clip_kinds import SYNTHETIC_TRANSITIONS
from slr_ray.corpora.corpus import Corpus, open_shards
from slr_ray.errors import ConfigError, StorageError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.shards import refuse_to_replace
from slr_ray.progress import ProgressBar
from slr_ray.storage import Store

_VERSION = 1
_SYNTHETIC = (
    "Signs are real, the transitions between them are synthetic: scores say nothing of "
    "coarticulation. Hold out signers; sentences of one signer share near-copies of signs."
)


def chain(source: str, out: Path, config: ChainConfig, *, skip_broken: bool = False) -> Chains:
    """Write sentences of `source`'s clips to the pose shard `out` and print what became of them.

    Beside it, `out` with `.clips.csv` tells which frames of which clips each sentence has. Raises
    `ConfigError` where `out` is no Parquet file or one of `source`'s, `DataError` on unusable
    input, `StorageError` where `out` can't be written.
    """
    if out.suffix.lower() != ".parquet":
        raise ConfigError(f"{str(out)!r} is no pose shard: name a file that ends in .parquet")
    refuse_to_replace(source, out)
    corpus = open_shards(source, skip_broken=skip_broken)
    chains = plan_chains(corpus, config)
    provenance = {
        "extractor": "chain",
        "version": _VERSION,
        "settings": config.model_dump(mode="json"),
        **SYNTHETIC_TRANSITIONS,
        "source": corpus.name,
        "source_provenance": list(corpus.provenance),
    }
    frames: list[int] = []

    def clips() -> Iterator[Clip]:
        for one in chains.sentences:
            made = chained(corpus, one)
            frames.append(made.num_frames)
            yield made

    with ProgressBar(literal_console(stderr=True), "chain", len(chains.sentences)) as bar:
        try:
            write_shard(out, bar.over(clips()), provenance)
            Store(str(out.parent)).write_bytes(f"{out.name}.clips.csv", _sources(corpus, chains))
        except OSError as error:
            raise StorageError(f"cannot write {out}: {error.strerror or error}") from None
    _print(out, corpus, chains, frames)
    return chains


def _sources(corpus: Corpus, chains: Chains) -> bytes:
    """Every sign of every sentence: a table of clips and frames."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["clip_id", "gloss", "source_clip_id", "start_frame", "end_frame"])
    for one in chains.sentences:
        for link in one.links:
            source = corpus.clip_ids[link.clip].as_py()
            gloss = corpus.gloss_of(link.clip)
            rows.writerow([one.clip_id, gloss, source, link.start, link.end])
    return table.getvalue().encode()


def _print(out: Path, corpus: Corpus, chains: Chains, frames: list[int]) -> None:
    links = [link for one in chains.sentences for link in one.links]
    lengths = Counter(len(one.links) for one in chains.sentences)
    used = np.array([link.clip for link in links])
    table = Table("", "", show_header=False, title=Text(str(out)), title_justify="left")
    table.add_row("sentences", f"{len(chains.sentences):,}")
    table.add_row("of glosses", ", ".join(f"{n}: {lengths[n]:,}" for n in sorted(lengths)))
    table.add_row("signs, each a clip", f"{len(links):,}")
    table.add_row("glosses", f"{len(np.unique(corpus.gloss_index[used])):,}")
    table.add_row("signers", f"{len(np.unique(corpus.signer_index[used])):,}")
    table.add_row("frames", f"{sum(frames):,}")
    for reason, num in chains.left_out.items():
        table.add_row(f"clips {reason}", f"{num:,}")
    console = literal_console()
    console.print(table)
    console.print(f"- {_SYNTHETIC}", highlight=False, soft_wrap=True)
