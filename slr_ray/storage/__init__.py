"""Files in a local folder or behind a cloud URI, written so that no reader sees half of one."""

from slr_ray.locations import (
    absolute,
    below,
    complete,
    is_uri,
    local_path,
    masked,
    parted,
    remember,
    split_query,
    take,
    to_hand_on,
)
from slr_ray.storage.calls import call, once, reason, rely_on, resolve, that_answered
from slr_ray.storage.damage import intact
from slr_ray.storage.growing import Growing
from slr_ray.storage.store import Store, cache_root, read_file

__all__ = [
    "Growing",
    "Store",
    "absolute",
    "below",
    "cache_root",
    "call",
    "complete",
    "intact",
    "is_uri",
    "local_path",
    "masked",
    "once",
    "parted",
    "read_file",
    "reason",
    "rely_on",
    "remember",
    "resolve",
    "split_query",
    "take",
    "that_answered",
    "to_hand_on",
]
