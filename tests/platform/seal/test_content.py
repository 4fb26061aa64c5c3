"""The sealed format: what it holds by its description, that nothing changed is opened, and that streams agree."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.seal import content
from claude_code_mcp.platform.seal.content import (
    HEAD_BYTES,
    KEY_BYTES,
    PIECE_BYTES,
    TAG_BYTES,
    Opening,
    Sealing,
    SealKey,
    key_id_of,
    key_of,
    opened,
    seal,
    sealed_size,
)
from claude_code_mcp.platform.seal.errors import KeyUnavailable, SealBroken

KEY = key_of(bytes(range(KEY_BYTES)))
OTHER = key_of(bytes(KEY_BYTES))


class Ring:
    """Keys in memory."""

    def __init__(self, *keys: SealKey) -> None:
        self._keys = {key.id: key for key in keys}

    def key(self, key_id: bytes) -> SealKey:
        if key_id not in self._keys:
            raise KeyUnavailable("not here", remedy="bring it")
        return self._keys[key_id]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few bytes, so that a content has several."""
    monkeypatch.setattr(content, "PIECE_BYTES", 16)


def streamed(data: bytes, step: int) -> bytes:
    left = [data]

    def read(most: int) -> bytes:
        piece, left[0] = left[0][: min(most, step)], left[0][min(most, step) :]
        return piece

    sealing = Sealing(read, KEY)
    found = b""
    while more := sealing.read(7):
        found += more
    assert sealing.size == len(data)
    return found


@given(st.binary(max_size=100), st.integers(1, 40), st.integers(1, 60))
def test_what_is_sealed_comes_back_however_it_is_cut(data: bytes, reading: int, writing: int) -> None:
    sealed = seal(data, KEY)
    assert len(sealed) == sealed_size(len(data))
    assert streamed(data, reading) == sealed
    assert opened(sealed, Ring(OTHER, KEY)) == data
    found: list[bytes] = []
    opening = Opening(found.append, Ring(KEY))
    for at in range(0, len(sealed), writing):
        opening.take(sealed[at : at + writing])
    opening.end()
    assert b"".join(found) == data


def test_it_is_written_as_its_description_says() -> None:
    data = b"0123456789abcdefXYZ"
    sealed = seal(data, KEY)
    assert sealed[:8] == b"CCMSEAL\1"
    assert sealed[8:24] == KEY.id == key_id_of(sealed)
    first, second = sealed[24 : 24 + 16 + 16], sealed[24 + 32 :]
    siv, label = AESSIV(KEY.secret), b"claude-code-mcp sealed content"
    assert siv.decrypt(first, [label, (0).to_bytes(8, "little") + b"\0"]) == data[:16]
    assert siv.decrypt(second, [label, (1).to_bytes(8, "little") + b"\1"]) == data[16:]
    assert (HEAD_BYTES, TAG_BYTES, PIECE_BYTES) == (24, 16, 4 * 1024 * 1024)


def test_equal_contents_are_equal_sealed_and_nothing_else_is() -> None:
    assert seal(b"A=1\n", KEY) == seal(b"A=1\n", KEY)
    assert seal(b"A=1\n", KEY) != seal(b"A=2\n", KEY)
    assert seal(b"A=1\n", KEY)[24:] != seal(b"A=1\n", OTHER)[24:]
    assert b"A=1" not in seal(b"A=1\n", KEY)


@pytest.mark.parametrize("at", range(HEAD_BYTES + 16 + 16 + 16 + 3))
def test_a_changed_byte_anywhere_is_seen(at: int) -> None:
    sealed = bytearray(seal(b"0123456789abcdefXYZ", KEY))
    sealed[at] ^= 1
    with pytest.raises((SealBroken, KeyUnavailable)):
        opened(bytes(sealed), Ring(KEY))


def test_what_is_cut_moved_or_repeated_is_seen() -> None:
    sealed = seal(bytes(48), KEY)
    head, pieces = sealed[:24], [sealed[at : at + 32] for at in range(24, len(sealed), 32)]
    one, two, three = pieces
    for wrong in ([one, two], [one], [], [two, one, three], [one, one, three], [one, two, three, three], [three]):
        with pytest.raises(SealBroken):
            opened(head + b"".join(wrong), Ring(KEY))
    for end in range(len(sealed)):
        with pytest.raises(SealBroken):
            opened(sealed[:end], Ring(KEY))


def test_no_key_and_no_seal_are_two_errors() -> None:
    with pytest.raises(KeyUnavailable):
        opened(seal(b"x", KEY), Ring(OTHER))
    with pytest.raises(SealBroken):
        opened(b"just some text that is long enough", Ring(KEY))


def test_a_key_shows_its_name_only() -> None:
    key = key_of(os.urandom(KEY_BYTES))
    assert key.secret.hex() not in repr(key)
    assert key.id.hex() in repr(key)
