"""JSON bodies of requests: their checks, with Docker Engine's messages for what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from pyd_core.daemon.api.field_names import normalize_field_names
from pyd_core.errors import InvalidInput, ProtocolError
from pyd_core.model.base import decode

T = TypeVar("T")

_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A null character as JSON writes it, behind an even number of backslashes, which escape each other."""

_SYNTAX = {
    "Expecting property name": "looking for beginning of object key string",
    "Illegal trailing comma": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ':'": "after object key",
    "Expecting ','": "after object key:value pair",
    "Invalid control character": "in string literal",
    "Invalid \\escape": "in string escape code",
}
"""Messages of Python's JSON decoder, and Go's for the same error."""


def check_content_type(headers: Mapping[str, str]) -> None:
    """Refuse a body that isn't declared as JSON; an empty body needs no declaration.

    Args:
        headers: Of the request, by their names in small letters.

    Raises:
        InvalidInput: The content type is missing or another.
    """
    declared = headers.get("content-type", "")
    if not declared and headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    kind = declared.partition(";")[0].strip().lower()
    if not kind:
        raise InvalidInput(f"malformed Content-Type header ({declared[:80]}): mime: no media type")
    if kind != "application/json":
        raise InvalidInput(f"unsupported Content-Type header ({declared[:80]}): must be 'application/json'")


def parse(body: bytes, kind: type) -> Any:
    """Parse a body into plain data, with field names as the API writes them; an empty body is an empty object.

    Raises:
        InvalidInput: It is not JSON, or a text in it holds a null character.
    """
    if _NULL.search(body):
        raise InvalidInput("the request's body holds a null character (\\u0000), which no text on Linux can")
    try:
        plain = msgspec.json.decode(body or b"{}")
    except RecursionError:
        raise InvalidInput("invalid JSON: exceeded max depth") from None
    except msgspec.DecodeError as error:
        raise InvalidInput(_syntax_error(body) or f"invalid JSON: {error}") from None
    normalize_field_names(plain, kind)
    return plain


def convert(plain: Any, kind: type[T]) -> T:
    """Make a struct from parsed data.

    Raises:
        InvalidInput: It has not that shape.
    """
    try:
        return decode(msgspec.json.encode(plain), kind, what="request body")
    except ProtocolError as error:
        text = error.message.replace("the engine's ", "the ").replace("what its API promises", "what the API takes")
        raise InvalidInput(text) from error


def _syntax_error(body: bytes) -> str:
    """Return the error of Go's decoder for a text that isn't JSON; empty where Python accepts it."""
    text = body.decode(errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text.lstrip())
    except json.JSONDecodeError as error:
        words = next((words for prefix, words in _SYNTAX.items() if error.msg.startswith(prefix)), "")
        rest = error.doc[error.pos :].lstrip()
        if not rest or not words:
            return "invalid JSON: unexpected EOF"
        return f"invalid JSON: invalid character '{rest[0]}' {words}"
    except RecursionError:
        return "invalid JSON: exceeded max depth"
    return "unexpected content after JSON" if text.lstrip()[end:].strip() else ""
