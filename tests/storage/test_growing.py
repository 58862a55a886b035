"""A text that grows behind a URI: whole at any time, and not sent again and again."""

from __future__ import annotations

import pytest

from slr_ray.storage import Store, growing
from slr_ray.storage.growing import Growing


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each write sent."""
    sizes: list[int] = []
    write = Store.write_bytes

    def counted(store: Store, name: str, content: bytes) -> None:
        sizes.append(len(content))
        write(store, name, content)

    monkeypatch.setattr(Store, "write_bytes", counted)
    return sizes


def test_it_is_whole_after_every_addition_and_goes_up_in_pieces(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "_PIECE_BYTES", 100)
    store, text = Store("mock:///bucket/run"), b""
    one = Growing(store, "log")
    assert one.read() == b""
    for number in range(200):
        text += f"line {number}\n".encode()
        one.keep(text)
        if number % 50 == 0:
            assert Growing(store, "log").read() == text
            # Another machine goes on where this one was.
            one = Growing(store, "log")
            one.read()
    assert one.read() == text
    assert max(sent) <= 100
    assert len(sent) <= 200 + len(text) / 100 + 1
    one.keep(text)
    assert len(sent) <= 200 + len(text) / 100 + 1


def test_a_long_text_goes_up_at_once(sent: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_PIECE_BYTES", 100)
    store = Store("mock:///bucket/run")
    one, text = Growing(store, "log"), bytes(range(256)) * 2
    one.keep(text)
    assert sent == [100, 100, 100, 100, 100, 12]
    assert Growing(store, "log").read() == text
