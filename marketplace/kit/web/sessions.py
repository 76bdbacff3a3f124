"""Browser sessions: our own rows, a new random token at each sign-in, SHA-256 at rest, revocable.

A session ends 30 minutes after its last request and 12 hours after sign-in, whichever comes first. Anonymous visitors
get no session and no cookie of it. Changed roles or a new password end all sessions: ``identity.end_sessions``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from marketplace.kit import db, identity, ids
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _
from marketplace.kit.web import cookies, limits
from marketplace.kit.web.visitor import Visitor

if TYPE_CHECKING:
    from marketplace.kit.web.types import WebRequest

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
_TOUCH = timedelta(minutes=1)
T = TypeVar("T")


async def authenticate(request: WebRequest, email: str, password: str, *, now: datetime) -> UUID:
    """Return the account that this address and password open.

    Counts tries per account and per address before it looks, and gives a right one back. Raises ``TooMany``, or
    ``Invalid`` with the same sentence for an unknown address and a wrong password.
    """
    tries = await limits.reserve_sign_in(identity.normal_email(email), Visitor.of(request).address, now=now)
    account_id = await identity.check_password(email, password)
    if account_id is None:
        sentence = _("This e-mail address and password do not belong together.")
        raise Invalid("wrong_password", sentence, fields={"password": sentence})
    await limits.give_back(tries, now=now)
    return account_id


async def sign_in(request: WebRequest, response: T, account_id: UUID, *, now: datetime) -> T:
    """Start a session for the account, send its cookie with the answer, and return the answer.

    The token is always new, whatever cookie came in; the session that came in, if any, ends.
    """
    visitor = Visitor.of(request)
    await _end(visitor.session_id, now=now)
    token, session_id = ids.secret_token(), ids.new_id()
    await db.execute(
        "INSERT INTO web_session (id, account_id, token_hash, created_at, seen_at, ends_at) VALUES ($1, $2, $3, $4, $4, $5)",
        session_id, account_id, identity.digest(token), now, now + ABSOLUTE,
    )  # fmt: skip
    visitor.session_id = session_id
    visitor.set_cookie(cookies.SESSION, token)
    visitor.drop_cookie(cookies.CSRF)
    return response


async def sign_out(request: WebRequest, response: T, *, now: datetime) -> T:
    """End this browser's session, drop its cookies, and return the answer."""
    visitor = Visitor.of(request)
    await _end(visitor.session_id, now=now)
    visitor.session_id = None
    visitor.actor = identity.ANONYMOUS
    visitor.drop_cookie(cookies.SESSION)
    visitor.drop_cookie(cookies.CSRF)
    return response


async def recognise(visitor: Visitor, *, now: datetime) -> None:
    """Find out who holds the session cookie; without a live session the visitor stays anonymous.

    At most once a minute, note that the session was seen.
    """
    token = visitor.cookies.get(cookies.SESSION)
    if not token:
        return
    found = await identity.actor_by(
        "SELECT account_id, id AS session_id, seen_at FROM web_session"
        " WHERE token_hash = $1 AND revoked_at IS NULL AND ends_at > $2 AND seen_at > $3",
        identity.digest(token), now, now - IDLE,
    )  # fmt: skip
    if found is None:
        visitor.drop_cookie(cookies.SESSION)
        return
    actor, row = found
    if row["seen_at"] < now - _TOUCH:
        await db.execute("UPDATE web_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2", row["session_id"], now)
    visitor.session_id = row["session_id"]
    visitor.actor = actor
    visitor.locale = actor.locale or visitor.locale


async def _end(session_id: UUID | None, *, now: datetime) -> None:
    if session_id is not None:
        await db.execute("UPDATE web_session SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", session_id, now)
