"""The work of delivering: a try at the access point, asking what became of it, whether the mail left, and telling ECL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from billing.documents.ubl import Profile
from billing.documents.xml import PEPPOL_PROCESS
from billing.transport import deliveries, peppol
from billing.transport.deliveries import Channel, Delivery, DeliveryState
from billing.transport.peppol import Package, Reply, Status, Unreachable
from marketplace.kit import db, mail, work
from marketplace.kit.settings import settings

PATIENCE = timedelta(hours=24)
"""How long a document is tried before it goes by mail."""
CONFIRMED_WITHIN = timedelta(hours=48)
"""How long the access point may take to say that the receiver has it."""
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
_ASK_AFTER = timedelta(seconds=10)


class _Paper(msgspec.Struct, frozen=True):
    kind: str
    profile: str
    content: bytes


_PAPER = """
    SELECT i.kind, i.buyer ->> 'ubl_profile' AS profile, m.content FROM invoice i
    JOIN document m ON m.invoice_id = i.id AND m.kind = 'ubl-' || (i.buyer ->> 'ubl_profile') WHERE i.id = $1
"""


@work.handler("billing.deliver_peppol", outside=True)
async def deliver_peppol(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Hand a document to the access point. After a try whose outcome is unknown it is looked up first."""
    delivery = await deliveries.get(UUID(payload["delivery"]))
    if delivery is None or delivery.state is not DeliveryState.QUEUED:
        return
    point = peppol.chosen()
    try:
        if point is None:
            raise Unreachable("unavailable", "No access point is set.")  # noqa: TRY301 - one road for all troubles
        reply = await point.status(delivery.id) if item.attempts > 1 else None
        reply = reply or await point.send(await _package(delivery))
    except Unreachable as trouble:
        await _troubled(delivery, trouble, attempts=item.attempts, now=now)
        return
    await _replied(delivery, reply, now=now)


async def _package(delivery: Delivery) -> Package:
    paper = await db.row(_Paper, _PAPER, delivery.invoice_id)
    if paper is None:
        message = f"The e-invoice of {delivery.invoice_id} is not made yet."
        raise RuntimeError(message)
    root = "CreditNote" if paper.kind == "credit_note" else "Invoice"
    profile = Profile.NLCIUS if paper.profile == "nlcius" else Profile.PEPPOL
    return Package(
        id=delivery.id,
        sender=f"0106:{settings().operator.kvk}",
        receiver=delivery.address,
        document_type=f"urn:oasis:names:specification:ubl:schema:xsd:{root}-2::{root}##{profile.value}::2.1",
        process=PEPPOL_PROCESS,
        content=paper.content,
    )


async def _troubled(delivery: Delivery, trouble: Unreachable, *, attempts: int, now: datetime) -> None:
    """Keep a try without an answer; try again later, or after a day let a letter go instead."""
    async with db.atomic():
        await _log(delivery, trouble.outcome, trouble.message, None, now=now)
        over = now - delivery.made_at >= PATIENCE
        if over:
            await deliveries.failed(await deliveries.lock(delivery.id), message=trouble.message, now=now)
    if not over:
        raise work.Retry(trouble.message, after=_WAITS[min(attempts, len(_WAITS)) - 1])


async def _replied(delivery: Delivery, reply: Reply, *, now: datetime) -> None:
    async with db.atomic():
        locked = await deliveries.lock(delivery.id)
        await _log(locked, reply.status.value, reply.message, reply.reference, now=now)
        if reply.status is Status.REJECTED:
            await deliveries.failed(locked, message=reply.message, now=now)
            return
        await deliveries.move(locked.id, DeliveryState.UNDER_WAY, reference=reply.reference, now=now)
        if reply.status is Status.DELIVERED:
            await deliveries.arrived(locked, now=now)
            return
        key = f"billing.delivery_status:{locked.id}"
        await work.enqueue("billing.delivery_status", {"delivery": str(locked.id)}, run_at=now + _ASK_AFTER, now=now, dedupe_key=key)


async def _log(delivery: Delivery, outcome: str, message: str, reference: str | None, *, now: datetime) -> None:
    await deliveries.log(
        delivery.id, channel=delivery.channel, address=delivery.address, outcome=outcome, message=message, reference=reference, now=now
    )


@work.handler("billing.delivery_status", outside=True)
async def delivery_status(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Ask the access point what became of a document, until it says so or two days are over."""
    delivery = await deliveries.get(UUID(payload["delivery"]))
    if delivery is None or delivery.state is not DeliveryState.UNDER_WAY:
        return
    point, said, trouble = peppol.chosen(), None, "The access point has not said that the receiver has it."
    try:
        said = await point.status(delivery.id) if point else None
    except Unreachable as away:
        trouble = away.message
    if said is not None and said.status is not Status.ACCEPTED:
        await _ended(delivery, said, now=now)
    elif now - delivery.state_at >= CONFIRMED_WITHIN:
        await _ended(delivery, Reply(status=Status.REJECTED, message=trouble), now=now)
    else:
        raise work.Retry(trouble, after=_WAITS[min(item.attempts, len(_WAITS)) - 1])


async def _ended(delivery: Delivery, said: Reply, *, now: datetime) -> None:
    async with db.atomic():
        locked = await deliveries.lock(delivery.id)
        if locked.state is not DeliveryState.UNDER_WAY:
            return
        await _log(locked, said.status.value, said.message, said.reference, now=now)
        if said.status is Status.DELIVERED:
            await deliveries.arrived(locked, now=now)
        else:
            await deliveries.failed(locked, message=said.message, now=now)


class _Mail(msgspec.Struct, frozen=True):
    state: str
    sent_at: datetime | None
    work_state: str | None
    last_error: str | None


@work.handler("billing.mail_left")
async def mail_left(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Keep whether the mail server took a letter; one that it refused for good is a failed delivery."""
    sql = """
        SELECT m.state, m.sent_at, w.state AS work_state, w.last_error FROM mail_message m
        LEFT JOIN due_work w ON w.dedupe_key = 'mail:' || m.id WHERE m.id = $1
    """
    found = await db.row(_Mail, sql, UUID(payload["mail"]))
    if found is None:
        return
    delivery = await deliveries.lock(UUID(payload["delivery"]))
    if delivery.state is not DeliveryState.UNDER_WAY:
        return
    if found.state == "sent":
        await _log(delivery, "delivered", "", payload["mail"], now=found.sent_at or now)
        await deliveries.arrived(delivery, now=now)
        return
    if found.work_state == "dead":
        message = (found.last_error or "").partition(": ")[2][:500]
        await _log(delivery, "rejected", message, payload["mail"], now=now)
        await deliveries.failed(delivery, message=message, now=now)
        return
    message = "The mail has not left yet."
    raise work.Retry(message, after=_WAITS[min(item.attempts, len(_WAITS)) - 1])


@work.handler("billing.tell_undelivered")
async def tell_undelivered(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Tell ECL by mail that a document could not be delivered, and what happens instead."""
    delivery = await deliveries.get(UUID(payload["delivery"]))
    if delivery is None:
        return
    sql = "SELECT number, kind, buyer ->> 'legal_name' AS company FROM invoice WHERE id = $1"
    [invoice] = await db.records(sql, delivery.invoice_id)
    await mail.send(
        template="billing/undelivered",
        to=settings().operator.email,
        locale="nl",
        context={
            "number": invoice["number"],
            "company": invoice["company"],
            "delivery": delivery,
            "by_peppol": delivery.channel is Channel.PEPPOL,
        },
        dedupe_key=f"work:{item.id}",
        now=now,
    )
