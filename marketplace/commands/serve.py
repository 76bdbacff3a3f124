"""``marketplace serve`` and ``marketplace sandbox``: web processes under uvicorn."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from litestar import Litestar

_GRACE_SECONDS = 5


@click.command()
@click.option("--fd", type=int, hidden=True, help="A listening socket that is open already.")
@click.option("--gate", type=int, hidden=True, help="A pipe whose end says that the database is ready.")
def serve(fd: int | None, gate: int | None) -> None:
    """Run the web process on MARKETPLACE_HOST:PORT, until it is told to stop.

    MARKETPLACE_PROCESSES=4 runs four that share the port. Headers that proxies add count only from
    MARKETPLACE_TRUSTED_PROXIES.

    \b
    Example: DATABASE_URL=postgresql://shop@db/shop PORT=8000 marketplace serve
    """
    from marketplace.commands.running import shop_settings

    processes = shop_settings().processes
    app = shop() if processes == 1 else "marketplace.commands.serve:shop"
    if gate is not None:
        os.read(gate, 1)
    run(app, fd, processes=processes)


@click.command()
@click.option("--fd", type=int, hidden=True, help="A listening socket that is open already.")
@click.option("--port", type=int, default=0, show_default=True, help="The port on 127.0.0.1; 0 takes a free one.")
def sandbox(fd: int | None, port: int) -> None:
    """Run the Stripe sandbox, which moves no money, on 127.0.0.1.

    \b
    Example: marketplace sandbox --port 12111
    """
    from marketplace import runtime
    from marketplace.commands.running import shop_settings

    shop_settings()
    if fd is None:
        own = runtime.listen(port)
        click.echo(f"Stripe sandbox: http://127.0.0.1:{own.getsockname()[1]}")
        fd = own.detach()
    run("marketplace.commands.serve:stand_in", fd, processes=1)


def shop() -> Litestar:
    """Make the shop's application, once a process."""
    from marketplace.commands.running import install_clock, set_up_logging, shop_settings

    loaded = shop_settings()
    set_up_logging(loaded)
    install_clock(loaded)
    from marketplace.app import create_app

    return create_app(dsn=loaded.database_url, pool_size=loaded.pool_size)


def stand_in() -> Litestar:
    """Make the sandbox's application."""
    from marketplace.commands.running import install_clock, set_up_logging, shop_settings

    loaded = shop_settings()
    set_up_logging(loaded)
    install_clock(loaded)
    from billing.sandbox.app import create_sandbox

    return create_sandbox()


def run(app: Litestar | str, fd: int | None, *, processes: int) -> None:
    """Serve an application, or a factory by name, as every web process of ours is served."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from marketplace import runtime
    from marketplace.kit.settings import settings

    loaded = settings()
    own = socket.socket(fileno=fd) if fd is not None else runtime.listen(loaded.port, loaded.host)
    config = uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=processes,
        proxy_headers=False,  # the application reads them, from the proxies that were configured
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=20,
    )
    if processes > 1:
        Multiprocess(config, sockets=[own]).run()
    else:
        uvicorn.Server(config).run(sockets=[own])
