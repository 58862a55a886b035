"""Whose results a folder holds: each answers for one command and one question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from slr_ray.errors import ConfigError
from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Store

Command = Literal["pretrain", "train", "evaluate", "boundary", "compare", "robustness"]
_CLAIM = "claim.json"


def claim(
    store: Store, command: Command, what: str, facts: Mapping[str, Any], part: str = ""
) -> None:
    """Take a folder for the results of a command, or find that it is taken for the same.

    `facts` are all that the results depend on, as JSON; a folder may hold several `part`s, each
    with facts of its own. `what` they are, in words, is for the message.

    Raises `ConfigError` where the folder holds something else: a finished result must not answer
    for another question, and no command writes into a folder of another one.
    """
    if RunFolder(store.location).exists():
        raise ConfigError(f"{store.location} holds a run of slr_ray.tune; choose another --out")
    held = store.read_json(_CLAIM) if store.exists(_CLAIM) else {"command": command, "parts": {}}
    if held["command"] != command:
        raise ConfigError(
            f"{store.location} holds results of slr_ray.{held['command']}; choose another --out"
        )
    known = held["parts"].get(part)
    if known is None:
        store.write_json(_CLAIM, {**held, "parts": {**held["parts"], part: dict(facts)}})
        return
    changed = [name for name, value in facts.items() if known.get(name) != value]
    if changed:
        raise ConfigError(
            f"{store.location} holds another {what} (other {', '.join(changed)}); choose another "
            "--out"
        )
