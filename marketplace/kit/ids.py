"""Identifiers that can be shown outside: not countable, and sortable by the time they were made."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

_READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562 §5.7, §6.2 method 3): 48 bits of milliseconds, 12 of their fraction, 62 random.

    Those that one process makes sort in the order in which they were made, but for a quarter of a microsecond.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4_096 // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | secrets.randbits(62)
    return UUID(int=value)


def public_code(length: int = 8) -> str:
    """Return a random code without letters that look alike; about 4.9 bits a character."""
    return "".join(secrets.choice(_READABLE) for _ in range(length))


def secret_token() -> str:
    """Return 256 random bits as URL-safe text, for links, sessions and tokens; keep only its SHA-256."""
    return secrets.token_urlsafe(32)
