"""``marketplace create-admin`` and ``marketplace token``: who may act, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from marketplace.kit.settings import Settings


@click.command(name="create-admin")
@click.argument("email")
@click.option("--name", default="", help="How they are addressed; without it, the part of the address before the @.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when it is not given.")
def create_admin(email: str, name: str, password: str) -> None:
    """Make a member of ECL who can sign in and see the whole desk.

    \b
    Example: marketplace create-admin anna@ecl.example --name "Anna de Wit"
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> None:
        from marketplace.people import members

        await members.create_admin(email, name or email.partition("@")[0], password)

    with_database(run)
    click.echo(f"{email} can sign in now.")


@click.group()
def token() -> None:
    """Make and end API tokens.

    \b
    Example: marketplace token create --user hr@demo.example
    """


@token.command()
@click.option("--user", "email", required=True, metavar="EMAIL", help="The sign-in address whose rights the token has.")
@click.option("--label", default="", help="What it is for, shown in the list of tokens.")
def create(email: str, label: str) -> None:
    """Print a new API token. It is shown this once: only its SHA-256 is kept.

    \b
    Example: marketplace token create --user hr@demo.example --label "HR system"
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> str:
        from marketplace.kit import clock, identity
        from marketplace.kit.errors import NotFound

        account = await identity.account_by_email(email)
        if account is None or account.state != "active":
            raise NotFound("unknown_account", f"Nobody signs in with {email}: check the address, or make the account first.")
        return await identity.create_token(account.id, now=clock.now(), label=label)

    click.echo(with_database(run))


@token.command()
@click.argument("text", metavar="TOKEN")
def revoke(text: str) -> None:
    """End an API token at once.

    \b
    Example: marketplace token revoke ecl_…
    """
    from marketplace.commands.running import with_database

    async def run(_loaded: Settings) -> int:
        from marketplace.kit import clock, db, identity

        sql = "UPDATE api_token SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL"
        return await db.execute(sql, identity.digest(text), clock.now())

    if with_database(run) == 0:
        raise click.ClickException("There is no such live token: nothing was changed.")
    click.echo("The token has ended.")
