"""Pickles of arrays and tensors are read; one that would run code is not."""

from __future__ import annotations

import gzip
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from slr_ray.annotations.pickles import as_array, read_pickle
from slr_ray.errors import DataError

ARRAY = np.arange(12, dtype=np.float32).reshape(2, 3, 2)


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path, function: Callable[..., Any] = os.system) -> None:
        self.mark, self.function = mark, function

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return self.function, (f"touch {self.mark}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [ARRAY, np.asfortranarray(ARRAY), torch.from_numpy(ARRAY)])
def test_arrays_and_tensors_are_read(tmp_path: Path, protocol: int, value: Any) -> None:
    file = tmp_path / "x.pkl"
    content = {"a": {"keypoint": value, "num_frames": 2, "gloss": "CAT"}, "n": np.float64(3)}
    file.write_bytes(pickle.dumps(content, protocol))
    read = read_pickle(file)
    np.testing.assert_array_equal(as_array(read["a"]["keypoint"]), ARRAY)
    assert (read["a"]["num_frames"], read["a"]["gloss"], read["n"]) == (2, "CAT", 3)


def test_gzipped_pickles_and_files_of_torch_are_read(tmp_path: Path) -> None:
    content = OrderedDict(a=[1, {"x": torch.from_numpy(ARRAY)}])
    zipped, saved = tmp_path / "x.train", tmp_path / "x.pt"
    with gzip.open(zipped, "wb") as stream:
        stream.write(pickle.dumps(content))
    torch.save(content, saved)
    for file in (zipped, saved):
        np.testing.assert_array_equal(as_array(read_pickle(file)["a"][1]["x"]), ARRAY)


def as_pickle(value: Any, file: Path) -> None:
    file.write_bytes(pickle.dumps(value))


def gzipped(value: Any, file: Path) -> None:
    with gzip.open(file, "wb") as stream:
        stream.write(pickle.dumps(value))


def storage_of(value: Any, file: Path) -> None:
    """What a tensor's pickle holds is a pickle again, which torch's own function would run."""
    inner = pickle.dumps(value)
    load = getattr(torch.storage, "_load_from_bytes")  # noqa: B009  # private, as pickles name it

    class Outer:
        def __reduce__(self) -> tuple[Any, tuple[bytes]]:
            return load, (inner,)

    file.write_bytes(pickle.dumps(Outer()))


@pytest.mark.parametrize("write", [as_pickle, gzipped, torch.save, storage_of])
@pytest.mark.parametrize("function", [os.system, eval, np.load, torch.load])
def test_a_pickle_that_would_run_code_is_refused(
    tmp_path: Path, write: Callable[[Any, Path], None], function: Callable[..., Any]
) -> None:
    file, mark = tmp_path / "x.pkl", tmp_path / "mark"
    write({"clip": [Hostile(mark, function)]}, file)
    with pytest.raises(DataError, match="can be code: it is not read") as raised:
        read_pickle(file)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not mark.exists()


def test_nothing_is_called_before_a_hostile_name_is_met(tmp_path: Path) -> None:
    """Not even what is allowed further on: the refusal comes at the name."""
    file, mark = tmp_path / "x.pkl", tmp_path / "mark"
    as_pickle([Hostile(mark), ARRAY], file)
    with pytest.raises(DataError, match=r"calls \w+\.system"):
        read_pickle(file)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"id|gloss|text\n1|A|b\n", b"\x80\x05", b"\x1f\x8bxx"])
def test_what_is_no_pickle_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.pkl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read .*x\.pkl' as a pickle") as raised:
        read_pickle(file)
    assert "\n" not in str(raised.value)


def test_only_numbers_are_arrays() -> None:
    assert as_array([1, 2]) is None
    assert as_array(np.array(["a"])) is None
    assert as_array(None) is None
