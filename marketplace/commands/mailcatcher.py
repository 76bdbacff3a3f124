"""``marketplace mailcatcher``: takes all mail on this machine and shows it."""

from __future__ import annotations

import asyncio
import socket

import click


@click.command()
@click.option("--smtp-fd", type=int, hidden=True, help="A listening socket that is open already.")
@click.option("--page-fd", type=int, hidden=True, help="A listening socket that is open already.")
def mailcatcher(smtp_fd: int | None, page_fd: int | None) -> None:
    """Run the mail catcher on free ports of 127.0.0.1. Nothing that it takes leaves the machine.

    \b
    Example: marketplace mailcatcher
    """
    from marketplace import mailcatcher as own
    from marketplace import runtime
    from marketplace.kit.settings import settings

    smtp = runtime.listen(0) if smtp_fd is None else socket.socket(fileno=smtp_fd)
    page = runtime.listen(0) if page_fd is None else socket.socket(fileno=page_fd)
    if smtp_fd is None:
        click.echo(f"SMTP: 127.0.0.1:{smtp.getsockname()[1]}\nMail: http://127.0.0.1:{page.getsockname()[1]}")
    asyncio.run(own.run(smtp, page, settings().home / "mail"))
