"""The cluster files, filled in, and what Ray's launcher makes of them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "cluster"
CLOUDS = ("aws", "gcp", "azure")
_VALUES = {
    "aws": {"ami-SET": "ami-0123456789abcdef0", "sg-SET": "sg-0123456789abcdef0"},
    "gcp": {"family/SET": "family/common-cu128", "SET": "my-project"},
    "azure": {"ubuntu@SET": "ubuntu@192.0.2.7", "SET": "01234567-89ab-cdef-0123-456789abcdef"},
    "local": {"[SET]": "[192.0.2.2, 192.0.2.3]", "head_ip: SET": "head_ip: 192.0.2.1", "SET": "me"},
}
"""What a user writes in place of each placeholder."""


def load(name: str) -> dict[str, Any]:
    """`cluster/NAME.yaml` as it is shipped."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return content


def filled(name: str, **values: str) -> dict[str, Any]:
    """The same after its guide was followed; `values` are by placeholder, with _ for -."""
    text = (FOLDER / f"{name}.yaml").read_text()
    given = {placeholder.replace("_", "-"): value for placeholder, value in values.items()}
    for placeholder, value in (_VALUES[name] | given).items():
        text = text.replace(placeholder, value)
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def prepared(cluster: dict[str, Any]) -> dict[str, Any]:
    """As `ray up` reads it: Ray's defaults filled in, its own checks passed."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    config: dict[str, Any] = prepare_config(copy.deepcopy(cluster))
    validate_config(config)
    return config


def launch(provider: Any, config: dict[str, Any], kind: str) -> None:
    """Start one node of a kind, as the launcher (the head) and the autoscaler (workers) do."""
    from ray.autoscaler import tags

    is_head = kind == config["head_node_type"]
    node = config["available_node_types"][kind]["node_config"]
    provider.create_node(
        {**config.get("head_node", {}), **node} if is_head else node,
        {
            tags.TAG_RAY_NODE_KIND: tags.NODE_KIND_HEAD if is_head else tags.NODE_KIND_WORKER,
            tags.TAG_RAY_NODE_NAME: f"ray-{kind.replace('_', '-')}",
            tags.TAG_RAY_USER_NODE_TYPE: kind,
            tags.TAG_RAY_LAUNCH_CONFIG: "hash",
            tags.TAG_RAY_NODE_STATUS: tags.STATUS_UNINITIALIZED,
        },
        1,
    )
