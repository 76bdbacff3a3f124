"""The second way in: every minute read Stripe's events since the last time, every night compare what is open.

A webhook that was lost, or came while we were down, is found here. Both jobs only queue work.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from billing import inbox
from billing.projection import project
from billing.stripe_gateway import GatewayError, gateway
from marketplace.kit import audit, db, periodic, work
from marketplace.kit.errors import Unavailable
from marketplace.kit.identity import SYSTEM

OVERLAP = timedelta(minutes=5)
FIRST_LOOK = timedelta(days=2)
RECENT = timedelta(days=35)


class Cursor(msgspec.Struct, frozen=True):
    """The newest event that was read."""

    event_id: str
    created_at: datetime


async def read_events(*, now: datetime) -> int:
    """Keep every event of Stripe's that we don't have yet and move the cursor; return how many were new.

    Reads five minutes over, because Stripe lists events in about the order in which they were made. Events beyond
    Stripe's thirty days are left to the nightly comparison.
    """
    cursor = await db.row(Cursor, "SELECT event_id, created_at FROM stripe_cursor")
    since = cursor.created_at - OVERLAP if cursor else now - FIRST_LOOK
    newest: Cursor | None = None
    fresh = 0
    async for page in gateway().events_since(since):
        newest = newest or Cursor(page[0].id, page[0].created_at)
        fresh += len(await inbox.receive(page, now=now))
    if newest is not None:
        await _move(newest, now=now)
    return fresh


async def _move(to: Cursor, *, now: datetime) -> None:
    sql = """
        INSERT INTO stripe_cursor (id, event_id, created_at, read_at) VALUES (1, $1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET event_id = $1, created_at = $2, read_at = $3 WHERE stripe_cursor.created_at <= $2
    """
    await db.execute(sql, to.event_id, to.created_at, now)


@periodic.periodic("billing.stripe_events", cron="* * * * *", outside=True)
async def catch_up(slot: datetime, *, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Read what Stripe's webhooks may not have brought. Without payments set up there is nothing to do."""
    try:
        await read_events(now=now)
    except Unavailable:
        return


@periodic.periodic("billing.stripe_compare", cron="15 4 * * *")
async def compare_all(slot: datetime, *, now: datetime) -> None:
    """Queue a comparison for every invoice that is open at Stripe, or was made in the last five weeks."""
    sql = """
        SELECT i.id FROM invoice i JOIN stripe_link l ON l.kind = 'invoice' AND l.our_id = i.id
        WHERE i.state IN ('issued', 'open', 'processing', 'uncollectible') OR i.issued_at > $1
    """
    for row in await db.records(sql, now - RECENT):
        names = {"invoice": str(row["id"])}
        await work.enqueue("billing.stripe_compare", names, run_at=now, dedupe_key=f"billing.stripe_compare:{row['id']}:{slot:%Y-%m-%d}")


class _Ours(msgspec.Struct):
    number: str
    total_cents: int
    paid_cents: int
    state: str
    stripe_id: str


@work.handler("billing.stripe_compare", outside=True)
async def compare(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:  # noqa: ARG001 - the port's shape
    """Bring one invoice up to date from Stripe and hold that totals and payments agree; a difference waits for a person."""
    invoice_id = UUID(payload["invoice"])
    sql = """
        SELECT i.number, i.total_cents, i.paid_cents, i.state, l.stripe_id
        FROM invoice i JOIN stripe_link l ON l.kind = 'invoice' AND l.our_id = i.id WHERE i.id = $1
    """
    ours = await db.row(_Ours, sql, invoice_id)
    if ours is None:
        return
    try:
        copy = await gateway().invoice(ours.stripe_id)
    except GatewayError as error:
        if error.again:
            raise
        raise work.GiveUp(str(error)) from error
    if copy is None:
        message = f"Stripe no longer has {ours.stripe_id}, the copy of invoice {ours.number}."
        raise work.GiveUp(message)
    await project(invoice_id, copy, now=now)
    if copy.total.cents == ours.total_cents and copy.number == ours.number:
        return
    async with db.atomic():
        data = {"stripe_id": ours.stripe_id, "total_cents": ours.total_cents, "stripe_cents": copy.total.cents}
        await audit.record("invoice.differs", actor=SYSTEM, subject=("invoice", invoice_id), data=data, now=now)
    message = f"Invoice {ours.number} is {ours.total_cents} cents here and {copy.total.cents} cents at Stripe ({ours.stripe_id})."
    raise work.GiveUp(message)
