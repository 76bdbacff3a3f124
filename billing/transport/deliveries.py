"""Documents on their way to their debtors: which channel, every try, what came of it, and what happens when it fails.

A document takes its debtor's channel: mail (``billing.delivery`` writes the letter) or a Peppol access point. A delivery has one
id that the other side knows it by, so that a repeated try is the same document. What can't be delivered by Peppol goes by mail,
and ECL is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.transport import peppol
from marketplace.kit import audit, db, ids, work
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import SYSTEM, Actor, Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence


class Channel(StrEnum):
    """How a document goes out."""

    MAIL = "mail"
    PEPPOL = "peppol"


class DeliveryState(StrEnum):
    """Where a delivery stands. ``under_way``: the mail server's queue or the access point has it."""

    QUEUED = "queued"
    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"


TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.UNDER_WAY, DeliveryState.DELIVERED, DeliveryState.FAILED}),
    DeliveryState.UNDER_WAY: frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED}),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.FAILED: frozenset(),
}
_AFTER_MAIL = timedelta(seconds=20)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it is kept. ``message`` says in the other side's words why it failed."""

    id: UUID
    invoice_id: UUID
    round: int
    channel: Channel
    address: str
    cause: str
    state: DeliveryState
    reference: str | None
    message: str
    made_at: datetime
    state_at: datetime


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log."""

    delivery_id: UUID
    channel: Channel
    address: str
    outcome: str
    message: str
    reference: str | None
    tried_at: datetime


class _Route(msgspec.Struct, frozen=True):
    number: str
    channel: Channel
    email: str
    scheme: str | None
    peppol_id: str | None


_DELIVERY = f"SELECT {', '.join(Delivery.__struct_fields__)} FROM delivery"  # noqa: S608
_FROZEN = """
    SELECT number, coalesce(buyer ->> 'channel', 'mail') AS channel, buyer ->> 'email' AS email, buyer ->> 'peppol_scheme' AS scheme,
           buyer ->> 'peppol_id' AS peppol_id FROM invoice WHERE id = $1
"""
_TODAYS = """
    SELECT i.number, d.channel, d.email, d.peppol_scheme AS scheme, d.peppol_id FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE i.id = $1
"""


async def deliver(invoice_id: UUID, *, now: datetime) -> Channel:
    """Send a document that is made on its way by its debtor's channel, in the caller's transaction; repeating it changes nothing.

    A mail isn't queued here: it may wait for the payment link (``billing.delivery``). Returns the channel that it takes.
    """
    found = await db.value("SELECT channel FROM delivery WHERE invoice_id = $1 ORDER BY round LIMIT 1", invoice_id)
    if found is not None:
        return Channel(found)
    route = await db.row(_Route, _FROZEN, invoice_id)
    if route is None:
        raise NotFound("not_found", _("There is no such invoice."))
    if _by_peppol(route):
        await _open(invoice_id, Channel.PEPPOL, f"{route.scheme}:{route.peppol_id}", cause="issued", actor=SYSTEM, now=now)
        return Channel.PEPPOL
    return Channel.MAIL


def _by_peppol(route: _Route) -> bool:
    return route.channel is Channel.PEPPOL and bool(route.scheme and route.peppol_id) and peppol.chosen() is not None


async def _open(invoice_id: UUID, channel: Channel, address: str, *, cause: str, actor: Actor, now: datetime) -> UUID:
    """Write a new delivery and queue its first try. Raises ``Conflict`` ``on_its_way`` while another is alive."""
    delivery_id = ids.new_id()
    sql = """
        INSERT INTO delivery (id, invoice_id, round, channel, address, cause, state, message, asked_by, made_at, state_at)
        SELECT $1, $2, coalesce(max(round), 0) + 1, $3, $4, $5, 'queued', '', $6, $7, $7 FROM delivery WHERE invoice_id = $2
        ON CONFLICT DO NOTHING
    """
    if await db.execute(sql, delivery_id, invoice_id, channel.value, address, cause, actor.account_id, now) == 0:
        raise Conflict(
            "on_its_way",
            _("This document is on its way already."),
            next_step=_("Wait for what comes of it; the log below shows every try."),
        )
    kind = "billing.deliver_peppol" if channel is Channel.PEPPOL else "billing.mail_invoice"
    payload = {"invoice": str(invoice_id), "delivery": str(delivery_id)}
    await work.enqueue(kind, payload, run_at=now, dedupe_key=f"{kind}:{delivery_id}")
    return delivery_id


async def resend(invoice_id: UUID, *, actor: Actor, now: datetime) -> Channel:
    """Send a document again, by the channel and to the address that its debtor has today.

    Raises ``Forbidden``, ``NotFound``, ``Conflict`` ``not_made`` or ``on_its_way``.
    """
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        route = await db.row(_Route, _TODAYS, invoice_id)
        if route is None:
            raise NotFound("not_found", _("There is no such invoice."))
        if await db.value("SELECT 1 FROM document WHERE invoice_id = $1 AND kind = 'pdf'", invoice_id) is None:
            raise Conflict("not_made", _("The PDF is still being made."), next_step=_("It is sent by itself when it is there."))
        channel = Channel.PEPPOL if _by_peppol(route) else Channel.MAIL
        address = f"{route.scheme}:{route.peppol_id}" if channel is Channel.PEPPOL else route.email
        delivery_id = await _open(invoice_id, channel, address, cause="again", actor=actor, now=now)
        data = {"delivery": delivery_id, "channel": channel.value}
        await audit.record("invoice.sent_again", actor=actor, subject=("invoice", invoice_id), data=data, now=now)
    return channel


async def goes_by_peppol(invoice_id: UUID) -> bool:
    """Tell whether Peppol has a document, or had it: then no first mail is written."""
    return await db.value("SELECT 1 FROM delivery WHERE invoice_id = $1 AND channel = 'peppol' LIMIT 1", invoice_id) is not None


# What a try comes to; each in the caller's transaction


async def lock(delivery_id: UUID) -> Delivery:
    """Return a delivery, locked until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Delivery, f"{_DELIVERY} WHERE id = $1 FOR UPDATE", delivery_id)
    if found is None:
        raise NotFound("not_found", _("There is no such delivery."))
    return found


async def get(delivery_id: UUID) -> Delivery | None:
    """Return a delivery, or None."""
    return await db.row(Delivery, f"{_DELIVERY} WHERE id = $1", delivery_id)


async def mailed(invoice_id: UUID, delivery_id: UUID | None, *, mail_id: UUID, address: str, now: datetime) -> UUID | None:
    """Keep that a letter is in the outbox: of this delivery, or of the first one, which is written here. Return the delivery."""
    if delivery_id is None:
        delivery_id = ids.new_id()
        sql = """
            INSERT INTO delivery (id, invoice_id, round, channel, address, cause, state, message, made_at, state_at)
            SELECT $1, $2, coalesce(max(round), 0) + 1, 'mail', $3, 'issued', 'queued', '', $4, $4 FROM delivery WHERE invoice_id = $2
            ON CONFLICT DO NOTHING
        """
        if await db.execute(sql, delivery_id, invoice_id, address, now) == 0:
            return None
    await log(delivery_id, channel=Channel.MAIL, address=address, outcome="accepted", message="", reference=str(mail_id), now=now)
    await move(delivery_id, DeliveryState.UNDER_WAY, reference=str(mail_id), now=now)
    payload = {"delivery": str(delivery_id), "mail": str(mail_id)}
    await work.enqueue("billing.mail_left", payload, run_at=now + _AFTER_MAIL, now=now, dedupe_key=f"billing.mail_left:{delivery_id}")
    return delivery_id


async def log(
    delivery_id: UUID, *, channel: Channel, address: str, outcome: str, message: str, reference: str | None, now: datetime
) -> None:
    """Write one line of the log."""
    sql = (
        "INSERT INTO delivery_try (id, delivery_id, channel, address, outcome, message, reference, tried_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    await db.execute(sql, ids.new_id(), delivery_id, channel.value, address, outcome, message, reference, now)


async def move(delivery_id: UUID, to: DeliveryState, *, reference: str | None = None, message: str = "", now: datetime) -> bool:
    """Bring a delivery to a state; False when it can't go there any more (it is there, or ended)."""
    before = [state.value for state, onward in TRANSITIONS.items() if to in onward]
    sql = """
        UPDATE delivery SET state = $2, reference = coalesce($3, reference), message = $4, state_at = $5
        WHERE id = $1 AND state = ANY($6)
    """
    return await db.execute(sql, delivery_id, to.value, reference, message, now, before) == 1


async def arrived(delivery: Delivery, *, now: datetime) -> None:
    """Keep that the receiver has the document."""
    if await move(delivery.id, DeliveryState.DELIVERED, now=now) and delivery.channel is Channel.PEPPOL:
        data = {"delivery": delivery.id}
        await audit.record("invoice.delivered", actor=SYSTEM, subject=("invoice", delivery.invoice_id), data=data, now=now)


async def failed(delivery: Delivery, *, message: str, now: datetime) -> None:
    """Keep that a delivery came to nothing, tell ECL, and let a letter go where Peppol failed."""
    if not await move(delivery.id, DeliveryState.FAILED, message=message, now=now):
        return
    data = {"delivery": delivery.id, "channel": delivery.channel.value}
    await audit.record("invoice.delivery_failed", actor=SYSTEM, subject=("invoice", delivery.invoice_id), data=data, now=now)
    if delivery.channel is Channel.PEPPOL:
        email = await db.value("SELECT d.email FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE i.id = $1", delivery.invoice_id)
        await _open(delivery.invoice_id, Channel.MAIL, email, cause="fallback", actor=SYSTEM, now=now)
    key = f"billing.tell_undelivered:{delivery.id}"
    await work.enqueue("billing.tell_undelivered", {"delivery": str(delivery.id)}, run_at=now, dedupe_key=key)


# Reading


async def of_invoice(invoice_id: UUID) -> list[Delivery]:
    """Return a document's deliveries, the latest first."""
    return await db.rows(Delivery, f"{_DELIVERY} WHERE invoice_id = $1 ORDER BY round DESC", invoice_id)


async def tries(deliveries: Sequence[Delivery]) -> list[Try]:
    """Return every try of these deliveries, the latest first."""
    sql = f"SELECT {', '.join(Try.__struct_fields__)} FROM delivery_try WHERE delivery_id = ANY($1) ORDER BY tried_at DESC, id DESC"  # noqa: S608
    return await db.rows(Try, sql, [delivery.id for delivery in deliveries])
