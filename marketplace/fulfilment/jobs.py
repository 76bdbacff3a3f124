"""The work of asking a partner: the question, a reminder halfway, a word to ECL, and the end; and word of a cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketplace.fulfilment import acceptances, read
from marketplace.fulfilment.acceptances import AcceptanceState
from marketplace.kit import db, mail, work
from marketplace.kit.i18n import use_locale
from marketplace.kit.identity import Actor, Role
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from datetime import datetime


@work.handler("fulfilment.ask_partner")
async def ask_partner(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Ask the partner of an order line whose seats were not published."""
    await acceptances.ask(UUID(payload["order_line_id"]), now=now)


@work.handler("fulfilment.expire")
async def expire(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Decline by silence."""
    with use_locale("en"):
        await acceptances.expire(UUID(payload["acceptance_id"]), now=now)


@work.handler("fulfilment.tell_partner")
async def tell_partner(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Mail the question to the partner."""
    await _mail(UUID(payload["acceptance_id"]), "fulfilment/ask", item, now=now)


@work.handler("fulfilment.remind")
async def remind(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Remind the partner halfway."""
    await _mail(UUID(payload["acceptance_id"]), "fulfilment/remind", item, now=now)


@work.handler("fulfilment.tell_ecl")
async def tell_ecl(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Tell ECL that a partner is late."""
    await _mail(UUID(payload["acceptance_id"]), "fulfilment/ecl", item, now=now, to=settings().operator.email)


@work.handler("fulfilment.line_cancelled")
async def line_cancelled(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Take back the question about a cancelled line, and mail the partner that the person doesn't come."""
    line_id = UUID(payload["line_id"])
    await acceptances.withdraw(line_id, now=now)
    partner = await db.records(
        "SELECT p.id, p.email, p.name FROM order_line l JOIN partner p ON p.id = l.partner_id WHERE l.id = $1", line_id
    )
    if not partner:
        return
    reader = Actor(kind="member", partner_id=partner[0]["id"], roles=frozenset({Role.PARTNER}))
    with use_locale("nl"):
        question = await read.of_line(line_id, actor=reader)
    context = {"question": question, "partner_name": partner[0]["name"]}
    await mail.send(
        template="fulfilment/cancelled", to=partner[0]["email"], locale="nl", context=context, now=now, dedupe_key=f"mail:{item.id}"
    )


@work.handler("fulfilment.person_replaced")
async def person_replaced(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Tell a partner that somebody else comes in an accepted person's place; before it has said yes it knows no name."""
    partner = await db.records(
        "SELECT p.id, p.email, concat_ws(' ', w.given_name, nullif(w.infix, ''), nullif(w.family_name, '')) AS before FROM order_line l"
        " JOIN partner p ON p.id = l.partner_id JOIN person w ON w.id = $2 WHERE l.id = $1 AND l.state = 'accepted'",
        UUID(payload["line_id"]), UUID(payload["from"]),
    )  # fmt: skip
    if not partner:
        return
    reader = Actor(kind="member", partner_id=partner[0]["id"], roles=frozenset({Role.PARTNER}))
    with use_locale("nl"):
        question = await read.of_line(UUID(payload["line_id"]), actor=reader)
    context = {"question": question, "before": partner[0]["before"]}
    await mail.send(
        template="fulfilment/replaced", to=partner[0]["email"], locale="nl", context=context, now=now, dedupe_key=f"mail:{item.id}"
    )


async def _mail(acceptance_id: UUID, template: str, item: work.WorkItem, *, now: datetime, to: str | None = None) -> None:
    found = await db.records(
        "SELECT a.partner_id, a.state, p.email, p.name FROM acceptance a JOIN partner p ON p.id = a.partner_id WHERE a.id = $1",
        acceptance_id,
    )
    if not found or found[0]["state"] != AcceptanceState.WAITING:
        return
    partner = found[0]
    reader = Actor(kind="member", partner_id=partner["partner_id"], roles=frozenset({Role.PARTNER}))
    with use_locale("nl"):
        question = await read.one(acceptance_id, actor=reader)
    context = {"question": question, "partner_name": partner["name"]}
    await mail.send(template=template, to=to or partner["email"], locale="nl", context=context, now=now, dedupe_key=f"mail:{item.id}")
