"""Plain data as bytes, which go from process to process and are kept for the next run.

What is unpacked may have been written by anybody: it makes objects of the types that a decoder's class promises or is
no good, and nothing else happens.
"""

from __future__ import annotations

import zlib
from typing import Any, TypeVar

from msgspec import DecodeError
from msgspec.json import Decoder, Encoder

from evalguard.ir.plain import Plain

T = TypeVar("T")

FAST = 1  # of zlib's levels
MOST_BYTES = 1 << 28  # unpacked: few bytes can be made to unpack to very many
_ENCODER = Encoder()
_DECODERS: dict[object, Decoder[Any]] = {}


class NoGood(Exception):
    """Bytes that are not what `packed` makes."""


def packed(value: Plain) -> bytes | None:
    """A value as bytes; None where a text in it holds half a character of UTF-16, or it nests too deeply."""
    try:
        return zlib.compress(_ENCODER.encode(value), FAST)
    except (UnicodeEncodeError, RecursionError):
        return None


def unpacked(data: bytes, kind: type[T]) -> T:
    """What `packed` was given, of that kind. Raises NoGood for what it did not make."""
    try:
        return decoder_of(kind).decode(zlib.decompressobj().decompress(data, MOST_BYTES))
    except (zlib.error, DecodeError, ValueError, RecursionError) as error:
        raise NoGood(str(error)) from error


def decoder_of(kind: type[T]) -> Decoder[T]:
    """The decoder of a kind of values, made when it is needed first: many runs unpack nothing."""
    decoder: Decoder[T] | None = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = Decoder(kind)
    return decoder
