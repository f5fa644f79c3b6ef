"""PNG, the format of images that are rounded: its checksums, which Pillow does not look at.

Without them a flipped bit can pass as other pixels, and a file that lacks its end as a whole one.
"""

import struct
import zlib

MAGIC = b"\x89PNG\r\n\x1a\n"


def check(data: bytes) -> None:
    """Checks the bytes of a PNG file; those of any other file are none of its business.

    Raises:
        ValueError: If a chunk is not what was written, or the last one is missing.

    Source: PNG (ISO/IEC 15948), 5.3: length, kind, content, and CRC-32 of the last two.
    """
    at, kind = len(MAGIC), b""
    while data.startswith(MAGIC) and kind != b"IEND":
        if at + 12 > len(data):  # a length, a kind and a checksum have 4 bytes each
            raise ValueError("it is cut short")
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 8 + length
        if data[end : end + 4] != struct.pack(">I", zlib.crc32(data[at + 4 : end])):
            raise ValueError(f"the checksum of what begins at byte {at:,} does not match")
        at = end + 4
