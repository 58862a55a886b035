"""One record a file, as JSON."""

from __future__ import annotations

from typing import TypeVar

from slr_ray.config import Record, build
from slr_ray.errors import ConfigError, DataError
from slr_ray.storage import Store, below

RecordT = TypeVar("RecordT", bound=Record)


def write_record(store: Store, name: str, record: Record) -> None:
    """Write a record as JSON."""
    store.write_bytes(name, record.model_dump_json(indent=1).encode())


def read_record(store: Store, name: str, cls: type[RecordT]) -> RecordT:
    """A record; `DataError` where it is damaged or of another version."""
    origin = below(store.location, name)
    tree = store.read_json(name)
    if not isinstance(tree, dict):
        raise DataError(f"{origin}: expected a record, found {type(tree).__name__}")
    try:
        return build(cls, tree, origin)
    except ConfigError as error:
        raise DataError(f"not a record of this version of slr_ray: {error}") from None
