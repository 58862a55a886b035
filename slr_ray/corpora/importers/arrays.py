"""Arrays of numbers in NumPy's files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from slr_ray.errors import DataError


def read_array(file: Path) -> np.ndarray:
    """The array of a .npy file; `DataError` where it holds none, or no numbers."""
    (array,) = _loaded(file, "one array").values()
    return array


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a .npy or .npz file by name; that of a .npy file has the name ''."""
    return _loaded(file, None)


def _loaded(file: Path, wanted: str | None) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            named = {"": loaded}
        else:
            with loaded:
                named = {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot read {file.name}: {error}") from None
    if wanted and len(named) != 1:
        raise DataError(f"{file.name} holds {len(named)} arrays, expected {wanted}")
    arrays = {}
    for name, array in named.items():
        if array.dtype.kind not in "fiub":
            raise DataError(f"{file.name} holds {array.dtype}, expected numbers")
        arrays[name] = np.asarray(array, np.float64)
    return arrays
