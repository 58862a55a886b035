"""The import command: another format in, one pose shard out, and a table of what came through."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table
from rich.text import Text

from slr_ray.console import literal_console
from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.asked import read_options
from slr_ray.corpora.importers.neighbours import shards_with
from slr_ray.corpora.importers.source import read_clips
from slr_ray.errors import StorageError
from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_writing import write_shard
from slr_ray.poses.shards import Skipped, refuse_to_replace
from slr_ray.progress import ProgressBar
from slr_ray.storage import Store

_NUM_LISTED = 10


@dataclass
class ImportCount:
    """What an import brought in, and what it left out."""

    path: Path
    num_clips: int = 0
    num_frames: int = 0
    clip_ids: set[str] = field(default_factory=set)
    num_sentences: int = 0
    num_without_gloss: int = 0
    glosses: set[str] = field(default_factory=set)
    signers: set[str] = field(default_factory=set)
    num_of_unknown_signers: int = 0
    remarks: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    split_file: Path | None = None
    """The corpus's own split of these clips, for `split.kind=file`."""

    def watch(self, clips: Iterable[Clip]) -> Iterator[Clip]:
        """Hand the clips on, counting them."""
        for clip in clips:
            self.num_clips += 1
            self.clip_ids.add(clip.clip_id)
            self.num_frames += clip.num_frames
            if clip.sentence is not None:
                self.num_sentences += 1
                self.glosses.update(clip.sentence.glosses)
            elif clip.gloss is not None:
                self.glosses.add(clip.gloss)
            else:
                self.num_without_gloss += 1
            if clip.signer is None:
                self.num_of_unknown_signers += 1
            else:
                self.signers.add(clip.signer)
            yield clip


def convert(
    source: Path,
    out: Path,
    *,
    source_format: str,
    signer: str | None = None,
    glosses_file: Path | None = None,
    labels_from: int | None = None,
    fps: float | None = None,
    picture_size: str | None = None,
    poses: str | None = None,
    skip_broken: bool = False,
) -> ImportCount:
    """Write the clips of `source` to one pose shard and print what came through.

    `out` is a .parquet file, or a folder that gets one named after `source`. An existing file is
    replaced when the new one is complete, unless it is read from. Raises `ConfigError` on an
    unknown format and on options that do nothing for it, `DataError` on unusable input,
    `StorageError` where `out` can't be written.
    """
    options = read_options(
        source_format, signer, glosses_file, labels_from, fps, picture_size, poses
    )
    name = source.resolve().name
    path = out if out.suffix.lower() == ".parquet" else out / f"{Path(name).stem}.parquet"
    for read in (poses, str(source) if source.is_file() else None):
        if read is not None:
            refuse_to_replace(read, path)
    opened = IMPORTERS[source_format](source, options)
    count = ImportCount(path)
    was_there = path.exists()
    provenance = {**opened.provenance, "source_format": source_format, "source": name}
    clips = read_clips(opened, skip_broken=skip_broken, skipped=count.skipped)
    with ProgressBar(literal_console(stderr=True), source_format, opened.num_clips) as bar:
        try:
            write_shard(path, bar.over(count.watch(clips)), provenance)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}") from None
    if was_there:
        opened.remarks.add(f"{path.name} was there before and is replaced")
    for other in shards_with(count.clip_ids, path):
        opened.remarks.add(
            "shards of the same folder with some of the same clip ids, so that the folder can't be "
            "read as one corpus; import to another one",
            other,
        )
    count.split_file = _write_split(opened.splits, count)
    count.remarks = opened.remarks.lines()
    _print(count)
    return count


def _write_split(splits: Mapping[str, str], count: ImportCount) -> Path | None:
    """A CSV file beside the shard; None where the corpus has no split of its own."""
    rows = [(one, splits[one]) for one in sorted(count.clip_ids) if one in splits]
    if not rows:
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("clip_id", "split"), *rows])
    path = count.path.with_suffix(".split.csv")
    Store(str(path.parent)).write_bytes(path.name, text.getvalue().encode())
    return path


def _print(count: ImportCount) -> None:
    table = Table("", "", show_header=False, title=Text(str(count.path)), title_justify="left")
    table.add_row("clips", f"{count.num_clips:,}")
    if count.num_sentences:
        table.add_row("sentences", f"{count.num_sentences:,}")
    num_glosses = len(count.glosses)
    table.add_row("glosses", f"{num_glosses:,}" + (" (no labels)" if not num_glosses else ""))
    if count.num_without_gloss and num_glosses:
        table.add_row("clips without gloss", f"{count.num_without_gloss:,}")
    table.add_row("signers", f"{len(count.signers):,}")
    if count.num_of_unknown_signers:
        table.add_row("clips of unknown signers", f"{count.num_of_unknown_signers:,}")
    table.add_row("frames", f"{count.num_frames:,}")
    table.add_row("skipped", f"{len(count.skipped):,}")
    if count.split_file is not None:
        table.add_row("the corpus's split", Text(str(count.split_file)))
    console = literal_console()
    console.print(table)
    for line in count.remarks:
        console.print(f"- {line}", highlight=False, soft_wrap=True)
    if count.skipped:
        listed = Table("clip", "skipped because", title_justify="left")
        for one in count.skipped[:_NUM_LISTED]:
            listed.add_row(Text(one.clip_id), Text(one.reason))
        if len(count.skipped) > _NUM_LISTED:
            listed.add_row("...", f"{len(count.skipped) - _NUM_LISTED} more")
        console.print(listed)
