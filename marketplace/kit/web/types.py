"""Short names for the types that every handler writes down."""

from __future__ import annotations

from typing import Any, TypeAlias

from litestar import Request, Response

WebRequest: TypeAlias = Request[Any, Any, Any]
Html: TypeAlias = Response[str]
