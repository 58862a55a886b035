"""Other people's pickles, read without running what they say.

A pickle is a program: what it calls is found by name first. Only what makes arrays, tensors and
plain containers is found here; any other name ends the reading before anything was called.
"""

from __future__ import annotations

import gzip
import io
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from slr_ray.errors import DataError

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ARRAYS = frozenset(
    f"{package}.{name}"
    for package in ("numpy.core", "numpy._core")
    for name in ("multiarray._reconstruct", "multiarray.scalar", "numeric._frombuffer")
)
_TENSOR = "torch._utils._rebuild_tensor_v2"
_STORAGE = "torch.storage._load_from_bytes"


def read_pickle(file: Path) -> Any:
    """What a pickle, a gzipped one, or a file of `torch.save` holds.

    `DataError` where it is none, and where it names anything but arrays, tensors and containers.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_ZIP))
        if start == _ZIP:
            return _torch_load(file)
        open_file = gzip.open if start.startswith(_GZIP) else open
        with open_file(file, "rb") as stream:
            return _Restricted(stream).load()
    except DataError as error:
        raise DataError(f"{file} {error}") from None
    except Exception as error:  # whatever an unpickler stumbles over in a file that is no pickle
        raise DataError(
            f"cannot read {str(file)!r} as a pickle: {type(error).__name__}: "
            f"{(str(error).splitlines() or [''])[0]}"
        ) from None


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _ARRAYS or full in ("numpy.ndarray", "numpy.dtype"):
            return super().find_class(module, name)
        if full == "collections.OrderedDict":
            return OrderedDict
        if full == "_codecs.encode":
            return _latin1
        if full == _TENSOR:
            return super().find_class(module, name)
        if full == _STORAGE:
            return _storage
        raise DataError(
            f"is a pickle that calls {full}, which can be code: it is not read. Pickles of arrays, "
            "tensors, lists, dictionaries, texts and numbers are"
        )


def _latin1(text: str, encoding: str) -> bytes:
    """Bytes as pickles of old protocols write them."""
    if encoding != "latin1":
        raise DataError(f"is a pickle with bytes in {encoding}: it is not read")
    return text.encode("latin1")


def _storage(content: bytes) -> Any:
    """A tensor's numbers; torch's own function would unpickle anything."""
    return _torch_load(io.BytesIO(content))


def _torch_load(source: Path | io.BytesIO) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            # Of protocols that it reads all the same, or else refuses.
            warnings.simplefilter("ignore")
            return torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise DataError(
            "holds more than tensors, lists, dictionaries, texts and numbers, which can be code: "
            "it is not read"
        ) from None


def as_array(value: Any) -> np.ndarray | None:
    """An array or a tensor as an array of numbers, None where it is neither."""
    array = np.asarray(value) if hasattr(value, "shape") else None
    if array is None or array.dtype.kind not in "fiu":
        return None
    return np.asarray(array, np.float64)
