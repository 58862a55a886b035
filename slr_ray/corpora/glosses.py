"""A corpus of some of its glosses: the most frequent, those that are named, or those of a file."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from slr_ray.config import Config
from slr_ray.corpora.arrays import UNKNOWN_SIGNER, UNLABELLED
from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import ConfigError, DataError
from slr_ray.storage import absolute
from slr_ray.text import normal_name, read_json, read_lines, read_table

_SHOWN_NAMES = 5
_YES = ("1", "true", "yes")


class MostFrequent(Config):
    """Those with most clips in the whole corpus, equals by name. Short: `data.glosses=25`."""

    kind: Literal["most_frequent"] = "most_frequent"
    num_glosses: int = Field(ge=1)


class NamedGlosses(Config):
    """Those of a list. Short: `data.glosses=[book,drink]`."""

    kind: Literal["named"] = "named"
    names: tuple[str, ...] = Field(min_length=1)

    @field_validator("names", mode="before")
    @classmethod
    def _numbers_are_names(cls, names: Any) -> Any:
        """`[1, 2]`, as numbered labels look in YAML."""
        if not isinstance(names, list | tuple):
            return names
        return [str(one) if type(one) is int else one for one in names]


class GlossFile(Config):
    """Those that a file lists, such as an official subset. Short: `data.glosses={file: mine.txt}`.

    A text file has one gloss a line; a `.json` file is WLASL's own WLASL_v0.3.json, or a list of
    names; a `.csv` file is a table of clips, see `column`.
    """

    kind: Literal["file"] = "file"
    file: Path
    first: int | None = Field(None, ge=1)
    """So many from the top: the first 100 of WLASL_v0.3.json are WLASL-100. None = all."""
    column: str | None = None
    """Of a table with a column clip_id: the glosses of those clips that have a 1 (or yes, true) in
    this one, such as `wlasl100`. Clips that the corpus lacks are passed over."""
    skip_missing: bool = False
    """Do without glosses of the file that the corpus lacks, as where an official subset has lost
    its videos; else they are an error."""

    @field_validator("file")
    @classmethod
    def _absolute(cls, file: Path) -> Path:
        return Path(absolute(str(file)))

    @model_validator(mode="after")
    def _a_table_has_flags(self) -> GlossFile:
        is_table = self.file.suffix == ".csv"
        if is_table and (self.column is None or self.first is not None):
            raise ValueError("a .csv file has clips and no list of glosses: give column, no first")
        if not is_table and self.column is not None:
            raise ValueError(f"column {self.column!r} is for a .csv file, not {self.file.name!r}")
        return self


AnyGlosses = MostFrequent | NamedGlosses | GlossFile


class OfSomeGlosses(Config):
    """What every kind of data has in common."""

    glosses: Annotated[AnyGlosses, Field(discriminator="kind")] | None = None
    """Only these, as if the corpus had no others: clips of other glosses are in no set and no pool.
    Clips without a gloss stay, for nobody can say which to take; so does pre-training's extra data.
    A number, a list of names, or a mapping; None = all."""

    @field_validator("glosses", mode="before")
    @classmethod
    def _written_short(cls, given: Any) -> Any:
        if isinstance(given, int) and not isinstance(given, bool):
            return {"kind": "most_frequent", "num_glosses": given}
        if isinstance(given, list | tuple):
            return {"kind": "named", "names": given}
        if isinstance(given, Mapping) and "file" in given:
            return {"kind": "file", **given}
        is_section = isinstance(given, Config) or (isinstance(given, Mapping) and "kind" in given)
        if given is None or is_section:
            return given
        raise ValueError("a number, a list of names, or {file: PATH}")


def restricted(corpus: Corpus, glosses: AnyGlosses | None) -> Corpus:
    """The corpus without clips of other glosses; its frames stay mapped where they are.

    Equal glosses are equal corpora, with one fingerprint, however they are asked for. Raises
    `ConfigError` where the corpus lacks some or has sentences, `DataError` where a file can't be
    used.
    """
    if glosses is None:
        return corpus
    if corpus.has_sentences:
        raise ConfigError(
            f"data.glosses takes clips by their one gloss, and those of {corpus.name} are "
            "sentences. Leave it out, or write the sentences that you want into a file of their own"
        )
    chosen = set(_chosen(corpus, glosses))
    rows = [row for row, name in enumerate(corpus.glosses) if name in chosen]
    if len(rows) == len(corpus.glosses):
        return corpus
    kept = np.flatnonzero(np.isin(corpus.gloss_index, [UNLABELLED, *rows]))
    names = tuple(corpus.glosses[row] for row in rows)
    signers = np.unique(corpus.signer_index[kept])
    content = json.dumps([corpus.fingerprint, names])
    return replace(
        corpus,
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        glosses=names,
        signers=tuple(corpus.signers[one] for one in signers if one != UNKNOWN_SIGNER),
        num_clips=len(kept),
        kept=kept,
    )


def _chosen(corpus: Corpus, glosses: AnyGlosses) -> Sequence[str]:
    known = {normal_name(name): name for name in corpus.glosses}
    match glosses:
        case MostFrequent(num_glosses=num_glosses):
            return _most_frequent(corpus, num_glosses)
        case NamedGlosses(names=names):
            asked, skip, origin = [normal_name(one) for one in names], False, "data.glosses"
        case GlossFile():
            asked, skip = _listed(corpus, glosses), glosses.skip_missing
            origin = str(glosses.file)
    missing = [name for name in asked if name not in known]
    if missing and (len(missing) == len(asked) or not skip):
        raise ConfigError(_lacks(corpus, missing, origin, of_file=isinstance(glosses, GlossFile)))
    return [known[name] for name in asked if name in known]


def _most_frequent(corpus: Corpus, num_glosses: int) -> Sequence[str]:
    if num_glosses > len(corpus.glosses):
        raise ConfigError(
            f"data.glosses={num_glosses}, but {corpus.name} has {len(corpus.glosses)} glosses"
        )
    counts = np.bincount(corpus.gloss_index[corpus.is_labelled])
    # Glosses are sorted, so that a stable sort puts equals in the order of their names.
    return [corpus.glosses[row] for row in np.argsort(-counts, kind="stable")[:num_glosses]]


def _listed(corpus: Corpus, glosses: GlossFile) -> list[str]:
    """The names in a file, each in its normal form."""
    file, suffix = glosses.file, glosses.file.suffix
    if suffix == ".csv":
        assert glosses.column is not None
        return _flagged(corpus, file, glosses.column)
    names = _entries(file) if suffix == ".json" else [line for line in read_lines(file) if line]
    if len(names) < (glosses.first or 1):
        asked = "" if glosses.first is None else f", data.glosses.first is {glosses.first}"
        raise DataError(f"{file} lists {len(names)} glosses{asked}")
    return names[: glosses.first]


def _entries(file: Path) -> list[str]:
    entries = read_json(file)
    named = entries if isinstance(entries, list) else [None]
    named = [one.get("gloss") if isinstance(one, dict) else one for one in named]
    names = [normal_name(one) for one in named if isinstance(one, str)]
    if len(names) < len(named):
        raise DataError(f"{file} is no list of glosses, nor WLASL's list of {{gloss, instances}}")
    return names


def _flagged(corpus: Corpus, file: Path, column: str) -> list[str]:
    columns, rows = read_table(file)
    lacking = [name for name in ("clip_id", column) if name not in columns]
    if lacking:
        raise DataError(
            f"{file} has no column {' and '.join(lacking)} (it has {', '.join(columns) or 'none'})"
        )
    flagged = {normal_name(row["clip_id"]) for row in rows if row[column].lower() in _YES}
    ids = corpus.clip_ids.to_pylist()
    found = [row for row, clip_id in enumerate(ids) if normal_name(clip_id) in flagged]
    names = {corpus.gloss_of(row) for row in found} - {None}
    if not names:
        raise DataError(
            f"{file}: no clip with a 1 in column {column!r} is one of {corpus.name} with a gloss "
            f"({len(flagged):,} clips have one; the first of {corpus.name} is {ids[0]!r})"
        )
    return [normal_name(name) for name in names if name is not None]


def _lacks(corpus: Corpus, missing: Sequence[str], origin: str, *, of_file: bool) -> str:
    shown = ", ".join(repr(one) for one in missing[:_SHOWN_NAMES])
    more = len(missing) - _SHOWN_NAMES
    shown += f" and {more} more" if more > 0 else ""
    close = difflib.get_close_matches(missing[0], corpus.glosses, n=1)
    there = f"did you mean {close[0]!r}?" if close else f"it has {len(corpus.glosses)} glosses"
    remedy = "; data.glosses.skip_missing=true does without them" if of_file else ""
    return f"{origin}: {corpus.name} has no gloss {shown}; {there}{remedy}"
