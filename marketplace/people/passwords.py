"""Passwords: what is long enough, and a new one by mail. The link works once, for an hour.

Asking takes the same time and gives the same answer for an address that nobody has: the mail is made by the worker.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marketplace.kit import audit, db, identity, ids, mail, work
from marketplace.kit.errors import Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import MIN_PASSWORD, Actor
from marketplace.kit.settings import settings

VALID = timedelta(hours=1)
MAX_PASSWORD = 200
_RECENT = timedelta(minutes=2)


def check_new(password: str, *, email: str = "") -> None:
    """Raise ``Invalid`` when this can't be a password: at least twelve characters, and not the address itself."""
    sentence = ""
    if len(password) < MIN_PASSWORD:
        sentence = _("Use at least {n} characters. You used {given}.", n=MIN_PASSWORD, given=len(password))
    elif len(password) > MAX_PASSWORD:
        sentence = _("Use at most {n} characters.", n=MAX_PASSWORD)
    elif email and password.strip().lower() == email.lower():
        sentence = _("Choose something else than your e-mail address.")
    elif len(set(password)) < 4:
        sentence = _("Use more different characters.")
    if sentence:
        raise Invalid("password", sentence, fields={"password": sentence})


async def ask_reset(email: str, *, now: datetime) -> None:
    """Have a link mailed to this address when an account has it. Says nothing about whether one has."""
    found = await identity.account_by_email(email)
    known = found is not None and found.state == "active"
    async with db.atomic():
        await work.enqueue("people.mail_reset", {"account_id": found.id if found and known else None}, run_at=now)


@work.handler("people.mail_reset")
async def mail_reset(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Make the link and its mail; nothing for an unknown address, or when one left less than two minutes ago."""
    found = await identity.account(UUID(payload["account_id"])) if payload["account_id"] else None
    if found is None or found.state != "active":
        return
    if await db.value("SELECT 1 FROM password_reset WHERE account_id = $1 AND created_at > $2", found.id, now - _RECENT):
        return
    token = ids.secret_token()
    await db.execute(
        "INSERT INTO password_reset (id, account_id, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        ids.new_id(), found.id, identity.digest(token), now, now + VALID,
    )  # fmt: skip
    link = f"{settings().base_url}/password/{token}"
    context = {"name": found.name, "link": link, "until": now + VALID}
    await mail.send(
        template="people/reset", to=found.email, locale=found.locale or "en", context=context, dedupe_key=f"reset:{item.id}", now=now
    )


async def account_of_link(token: str, *, now: datetime) -> UUID:
    """Return whose link this is; raise ``NotFound`` when it was used, is older than an hour, or never was."""
    found = await db.value(
        "SELECT r.account_id FROM password_reset r JOIN account a ON a.id = r.account_id AND a.state = 'active'"
        " WHERE r.token_hash = $1 AND r.used_at IS NULL AND r.expires_at > $2",
        identity.digest(token), now,
    )  # fmt: skip
    if found is None:
        raise _ended()
    return UUID(str(found))


async def reset(token: str, password: str, *, now: datetime) -> UUID:
    """Give the link's account this password, end its sessions and other links, and return the account's id."""
    account_id = await account_of_link(token, now=now)
    account = await identity.account(account_id)
    check_new(password, email=account.email if account else "")
    async with db.atomic():
        used = await db.execute(
            "UPDATE password_reset SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
            identity.digest(token),
            now,
        )
        if not used:
            raise _ended()
        await db.execute("UPDATE password_reset SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL", account_id, now)
        await identity.end_sessions(account_id, now=now)
        actor = Actor(kind="member", account_id=account_id)
        await audit.record("account.password_reset", actor=actor, subject=("account", account_id), now=now)
        await identity.set_password(account_id, password)
    return account_id


def _ended() -> NotFound:
    return NotFound("link_ended", _("This link has ended."), next_step=_("Ask for a new one: a link works once, for one hour."))
