"""TensorFlow's checkpoints, zipped: an index of names, shapes and places, and a file of values.

The index is a sorted table as LevelDB writes it: blocks of keys and values, a block that says where
they lie, a footer that says where that is. A value is a message of Google's protocol buffers. What
the zip holds is guarded by the zip's checksums, so those inside are not computed again.
"""

import struct
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from acutance.errors import Refused

__all__ = ["INDEX", "read_bundle"]

INDEX, VALUES = ".index", ".data-00000-of-00001"
_MAGIC = 0xDB4775248B80FB57  # LevelDB's own, the last 8 bytes
_FOOTER = 48
_DTYPES: Mapping[int, torch.dtype] = {
    1: torch.float32,
    2: torch.float64,
    3: torch.int32,
    9: torch.int64,
    14: torch.bfloat16,
    19: torch.float16,
}
# Fields of the messages: of the table's first value, of all others, of a shape, of its dimension
_SHARDS, _BIG_ENDIAN = 1, 2
_DTYPE, _SHAPE, _OFFSET, _SIZE, _SLICES = 1, 2, 4, 5, 7
_DIMENSION, _LENGTH = 2, 1
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5  # kinds of fields


def read_bundle(path: Path) -> dict[str, Tensor]:
    """Returns the variables of a checkpoint by their names, as they lie.

    Args:
        path: A zip of its `.index` and its `.data-00000-of-00001`; what else is in it is not read.

    Raises:
        Refused: If it holds not just one checkpoint, or one of several files of values.
        Exception: Whatever zipfile, torch and slicing raise where the file is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        index, values = (_only(archive, ending) for ending in (INDEX, VALUES))
    table = dict(_table(index))
    header = _numbers(table.pop(""))
    if header.get(_SHARDS) != 1 or header.get(_BIG_ENDIAN):
        raise Refused("a TensorFlow checkpoint in several files of values, or a big-endian one")
    return {name: _tensor(name, entry, values) for name, entry in table.items()}


def _only(archive: zipfile.ZipFile, ending: str) -> bytes:
    found = [name for name in archive.namelist() if name.endswith(ending)]
    if len(found) != 1:
        raise Refused(f"a zip with {len(found)} files '*{ending}'; zip one checkpoint alone")
    return archive.read(found[0])


def _table(index: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields names and entries."""
    footer = index[-_FOOTER:]
    if len(footer) < _FOOTER or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise Refused("a TensorFlow checkpoint whose index breaks off")
    _, _, behind = _handle(footer, 0)  # of a block that says nothing here
    offset, size, _ = _handle(footer, behind)
    for _, handle in _block(index, offset, size):
        offset, size, _ = _handle(handle, 0)
        for key, value in _block(index, offset, size):
            yield key.decode(), value


def _handle(content: bytes, place: int) -> tuple[int, int, int]:
    """Returns offset and size of a block, and the place behind them."""
    offset, place = _varint(content, place)
    size, place = _varint(content, place)
    return offset, size, place


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yields keys and values of a block; a key begins with so many bytes of the one before it."""
    if index[offset + size] != 0:
        raise Refused("a TensorFlow checkpoint with a compressed index; it is not read")
    block = index[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    place, end, key = 0, size - 4 * (restarts + 1), b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own + length
        yield key, block[place - length : place]


def _tensor(name: str, entry: bytes, values: bytes) -> Tensor:
    numbers, inner = _numbers(entry), _messages(entry)
    dtype = _DTYPES.get(numbers.get(_DTYPE, 0))
    if dtype is None or _SLICES in inner:
        raise Refused(f"a TensorFlow checkpoint whose '{name}' is no plain array of numbers")
    sides = [side for message in inner.get(_SHAPE, ()) for side in _messages(message)[_DIMENSION]]
    shape = [_numbers(side).get(_LENGTH, 0) for side in sides]
    offset, size = numbers.get(_OFFSET, 0), numbers.get(_SIZE, 0)
    content = bytearray(values[offset : offset + size])
    if len(content) != size or size != prod(shape) * dtype.itemsize:
        raise Refused(f"a TensorFlow checkpoint whose values break off at '{name}'")
    return torch.frombuffer(content, dtype=dtype).reshape(shape)


def _numbers(message: bytes) -> dict[int, int]:
    """Returns the whole numbers of a message by field; what is 0 is not written."""
    return {field: value for field, value in _fields(message) if isinstance(value, int)}


def _messages(message: bytes) -> dict[int, list[bytes]]:
    """Returns the messages inside a message by field."""
    found: dict[int, list[bytes]] = defaultdict(list)
    for field, value in _fields(message):
        if isinstance(value, bytes):
            found[field].append(value)
    return found


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            number, place = _varint(message, place)
            yield field, number
        elif kind == _BYTES:
            length, place = _varint(message, place)
            yield field, message[place : place + length]
            place += length
        else:
            place += {_EIGHT: 8, _FOUR: 4}[kind]


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Returns a number written in sevens of bits, the lowest first, and the place behind it."""
    found = shift = 0
    while True:
        byte = content[place]
        place += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, place
        shift += 7
