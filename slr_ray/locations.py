"""Paths and URIs as text: joined, parted, and without the secrets that a URI may hold.

A URI may carry a password, an account key or a signature. Those are kept in memory only: what
configurations, records, reports and messages hold has `***` in their place. Where a file system is
opened, `complete` puts them back, from the URIs that this process was given in full: on its command
line, in the environment variable SLR_RAY_URIS, or by the driver that started it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

from slr_ray.errors import StorageError

_QUERY = re.compile(r"\?(?=\w+=)")
_ANY_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"]+")
# A name with a colon behind it, but no host with its port; a secret may hold slashes by mistake.
_USER = re.compile(r"(?<=://)[^/@?:]+:(?!\d+/)[^@?]*(?=@)")
_HIDDEN = "***"
_OPEN = frozenset(
    {
        "allow_bucket_creation",
        "allow_bucket_deletion",
        "allow_delayed_open",
        "background_writes",
        "blob_storage_authority",
        "check_directory_existence_before_creation",
        "credential_kind",
        "dfs_storage_authority",
        "enable_tls",
        "endpoint_override",
        "location",
        "project_id",
        "region",
        "replication",
        "retry_limit_seconds",
        "scheme",
        "smart_defaults",
        "tls_ca_file_path",
        "tls_verify_certificates",
        "user",
    }
)
"""What pyarrow reads from a URI's query and is no secret; every other value is left out."""
_TELLING = 8
"""Shorter secrets are not looked for in texts: they would be parts of ordinary words."""

_given: dict[str, str] = {}
"""URIs with secrets in full, by what they are without."""


def is_uri(location: str) -> bool:
    """Whether `location` names a place behind a scheme, such as s3://bucket/runs."""
    return "://" in location


def local_path(location: str) -> Path:
    """The path of a file that is to be written on this machine; `StorageError` for a URI."""
    if is_uri(location):
        raise StorageError(
            f"cannot write {remember(location)!r}: this is written to a local path only. Name one, "
            "and copy what is there"
        )
    return Path(location)


def split_query(location: str) -> tuple[str, str]:
    """A URI without its query, and the query with its `?`; a path has none.

    A query begins at the first `?` that `KEY=` follows, as in `?endpoint_override=...`. Every other
    `?` belongs to a name, or is a wildcard.
    """
    found = _QUERY.search(location) if is_uri(location) else None
    return (location[: found.start()], location[found.start() :]) if found else (location, "")


def below(location: str, name: str) -> str:
    """The path or URI of `name`, as a file system writes it, below a folder or URI.

    In a URI, the name is quoted and the query stays at the end.
    """
    place, query = split_query(location)
    return f"{place.rstrip('/')}/{quote(name) if is_uri(place) else name}{query}"


def parted(location: str) -> tuple[str, str]:
    """The folder, with a URI's query, and the name of a file: what `below` joins."""
    if not is_uri(location):
        return str(Path(location).parent), Path(location).name
    place, query = split_query(location)
    folder, _, name = place.rstrip("/").rpartition("/")
    return folder + query, unquote(name)


def root_of(location: str) -> str:
    """Scheme and bucket or account."""
    return "/".join(split_query(location)[0].split("/")[:3])


def absolute(location: str) -> str:
    """A path as an absolute one, as other processes have other working folders; a URI without its
    secrets, which are remembered.
    """
    return remember(location) if is_uri(location) else str(Path(location).expanduser().absolute())


def remember(location: str) -> str:
    """A location without its secrets, which are kept in this process's memory."""
    public = _without_secrets(location) if is_uri(location) else location
    if public != location:
        # The last one given counts: signatures run out and are given anew.
        _given.pop(public, None)
        _given[public] = _USER.sub(lambda found: quote(found[0], safe=":%"), location, count=1)
    return public


def complete(location: str) -> str:
    """A URI with the secrets that were left out of it; `StorageError` where none fit.

    A URI in full stands for all of the same bucket or account; of several, the one with the longest
    path in common.
    """
    place, query = split_query(location)
    if f"://{_HIDDEN}@" not in place and f"={_HIDDEN}" not in query:
        return location
    for one in os.environ.get("SLR_RAY_URIS", "").split():
        if _without_secrets(one) not in _given:
            remember(one)
    fitting = [one for one in _given if root_of(one) == root_of(place)]
    if not fitting:
        raise StorageError(
            f"the secrets of {location!r} are in no file: give a URI of the same place in full, on "
            "the command line or in the environment variable SLR_RAY_URIS"
        )
    in_common = {one: os.path.commonpath([split_query(one)[0], place]) for one in reversed(fitting)}
    nearest = max(in_common, key=lambda one: len(in_common[one]))
    full_place, full_query = split_query(_given[nearest])
    user = _USER.search(full_place)
    if user is not None:
        place = place.replace(f"{_HIDDEN}@", f"{user[0]}@", 1)
    kept = [one for one in _pairs(query) if not one.endswith(f"={_HIDDEN}")]
    kept += [one for one in _pairs(full_query) if one.partition("=")[0] not in _OPEN]
    return place + ("?" + "&".join(kept) if kept else "")


def masked(text: str) -> str:
    """A text, such as an error of a library, without the secrets of any URI."""
    for full in _given.values():
        for secret in _secrets(full):
            for written in (secret, unquote(secret)):
                text = text.replace(written, _HIDDEN) if len(secret) >= _TELLING else text
    return _ANY_URI.sub(lambda found: _without_secrets(found[0]), text)


def to_hand_on() -> list[str]:
    """The URIs that this process knows in full, for processes that it starts elsewhere."""
    return list(_given.values())


def take(locations: Iterable[str]) -> None:
    """What `to_hand_on` gave in another process."""
    for one in locations:
        remember(one)


def _without_secrets(location: str) -> str:
    place, query = split_query(location)
    place = _USER.sub(_HIDDEN, place, count=1)
    shown = [
        f"{one.partition('=')[0]}={_HIDDEN}" if one.partition("=")[0] not in _OPEN else one
        for one in _pairs(query)
    ]
    return place + ("?" + "&".join(shown) if shown else "")


def _secrets(location: str) -> list[str]:
    place, query = split_query(location)
    user = _USER.search(place)
    values = [one.partition("=") for one in _pairs(query)]
    hidden = [value for name, _, value in values if name not in _OPEN]
    return hidden + (user[0].split(":", 1) if user is not None else [])


def _pairs(query: str) -> list[str]:
    return [one for one in query.removeprefix("?").split("&") if one]
