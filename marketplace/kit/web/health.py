"""Whether the process is alive and whether it can serve, for those who watch."""

from __future__ import annotations

import asyncio

from litestar import Response, get

from marketplace.kit import db

_PATIENCE_SECONDS = 2


@get("/livez", opt={"access": "public"})
async def alive() -> Response[str]:
    """Answer 200 while the process can answer at all."""
    return _text("ok", 200)


@get("/readyz", opt={"access": "public"})
async def ready() -> Response[str]:
    """Answer 200 when the database answers within two seconds, else 503."""
    return _text("ok", 200) if await database_answers() else _text("the database does not answer", 503)


async def database_answers() -> bool:
    """Tell whether a query comes back within two seconds."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return bool(await db.value("SELECT 1"))
    except Exception:  # noqa: BLE001 - whatever is wrong, the answer is no
        return False


def _text(text: str, status_code: int) -> Response[str]:
    return Response(content=text, media_type="text/plain", status_code=status_code, headers={"Cache-Control": "no-store"})


HANDLERS = [alive, ready]
