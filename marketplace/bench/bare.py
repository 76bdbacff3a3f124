"""The other side of the ratios: servers of the same kind that do only the one thing that can't be left out.

``python -m marketplace.bench.bare --fd N``: ``/plain``, ``/memory/<n>`` (the n-th page of ``BENCH_PAGES`` rendered again from
what its first request found), ``POST /row`` (one INSERT). Same framework, same server settings, same pool.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from jinja2 import Template
from litestar import Litestar, Request, Response, get, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar.types import Message

_PAGES: list[tuple[Template, dict[str, Any]]] = []


class Recording(Template):
    """A template that keeps what it was rendered with last."""

    last: tuple[Template, dict[str, Any]] | None = None

    def render(self, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - Jinja's
        """Render, and keep template and context."""
        Recording.last = (self, dict(*args, **kwargs))
        return super().render(*args, **kwargs)


async def visit(app: Any, path: str, cookie: str) -> int:  # noqa: ANN401 - an ASGI application
    """Ask an application for a page inside this process and return the status."""
    statuses: list[int] = []
    path, _mark, query = path.partition("?")
    headers = [(b"host", b"127.0.0.1"), *([(b"cookie", f"session={cookie}".encode())] if cookie else [])]
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http", "http_version": "1.1", "root_path": "", "state": {},
        "asgi": {"version": "3.0"}, "app": app,
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


@contextlib.asynccontextmanager
async def _life(_app: Litestar) -> AsyncIterator[None]:
    from marketplace.app import create_app
    from marketplace.kit import db
    from marketplace.kit.settings import settings
    from marketplace.kit.templating import environment

    await db.open_pool(os.environ["DATABASE_URL"], max_size=settings().pool_size)
    pages = [page for page in os.environ.get("BENCH_PAGES", "").split() if page]
    if pages:
        environment().template_class = Recording
        app = create_app()
        for path in pages:
            await visit(app, path, os.environ["BENCH_COOKIE"])
            assert Recording.last is not None
            _PAGES.append(Recording.last)
    yield
    await db.close_pool()


@get("/plain")
async def _plain() -> Response[str]:
    return Response("Good morning.", media_type="text/plain")


@get("/memory/{number:int}")
async def _memory(number: int) -> Response[str]:
    from marketplace.kit.i18n import use_locale

    template, context = _PAGES[number]
    with use_locale("en"):
        return Response(Template.render(template, context), media_type="text/html")


@post("/row", status_code=200)
async def _row(request: Request[Any, Any, Any]) -> Response[bytes]:
    from marketplace.kit import db, ids

    body = await request.body()
    await db.execute("INSERT INTO bare_row (id, payload) VALUES ($1, $2)", ids.new_id(), body.decode())
    return Response(b'{"received":true}', media_type="application/json")


def make() -> Litestar:
    """Return the application."""
    return Litestar(route_handlers=[_plain, _memory, _row], lifespan=[_life], openapi_config=None, logging_config=None)


@click.command()
@click.option("--fd", type=int, required=True)
def main(fd: int) -> None:
    """Serve on a socket that is open already."""
    from marketplace.commands.serve import run

    run(make(), fd, processes=1)


if __name__ == "__main__":
    sys.exit(main())
