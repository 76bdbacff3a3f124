"""After the history: what shows every state, and a queue that leaves the worker its share in a sensible order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from billing.dunning import policy
from catalog import search, session_changes
from marketplace.demo import payments
from marketplace.kit import audit, db, work
from marketplace.kit.identity import SYSTEM
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from marketplace.demo.catalogue import Planned
    from marketplace.demo.people import Cast
    from marketplace.kit.clock import FakeClock

MAILS_KEPT = timedelta(days=3)
_MAILS = (
    "orders.tell_placed", "orders.tell_declined", "enrolments.invite", "scheduling.tell",
    "fulfilment.tell_partner", "fulfilment.remind", "fulfilment.tell_ecl", "billing.link_arrived", "orders.tell_cancelled",
    "enrolments.tell_cancelled", "mail.send",
)  # fmt: skip
_FIRST_PAPER = timedelta(seconds=20)
_BETWEEN_PAPERS = timedelta(seconds=3)
_PAPERS_OF_THE_PAST = timedelta(minutes=2)
_AFTER_THE_COPIES = timedelta(minutes=10)
_NEVER_COPIED = """
    DELETE FROM due_work w WHERE state = 'queued' AND kind = 'billing.stripe_settled'
        AND NOT EXISTS (SELECT FROM stripe_link l WHERE l.kind = 'invoice' AND l.our_id = (w.payload ->> 'invoice')::uuid)
"""  # paid by bank before it went to Stripe


async def open_invoices(cast: Cast, *, clock: FakeClock) -> None:
    """Copy what the two companies with sign-ins have to pay to Stripe, and start a bank transfer for one invoice of two companies."""
    sql = "SELECT i.id FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE d.owner_id = $1 AND i.kind = 'invoice' AND i.state = 'issued' ORDER BY i.number DESC"
    for key, count in (("demo", 12), ("other", 6), ("oortwolk", 2)):
        found = [row["id"] for row in await db.records(sql, cast.houses[key].company_id)][:count]
        for at, invoice_id in enumerate(found):
            if at == 1 and key != "other":
                await payments.start_transfer(invoice_id, clock=clock)
            elif not settings().uses_real_stripe:
                await payments.copy_to_stripe(invoice_id, now=clock.now())


async def decide_sessions(sessions: list[Planned], *, now: datetime) -> None:
    """Let sessions go ahead that have enough people and begin within six weeks."""
    soon = [one.id for one in sessions if one.starts_at < now + timedelta(weeks=6)]
    for row in await db.records(
        "SELECT id FROM session WHERE id = ANY ($1) AND state = 'planned' AND live >= greatest(minimum, 1) AND ends_at > $2", soon, now
    ):
        await session_changes.confirm(row["id"], actor=SYSTEM, now=now)


async def tidy_catalogue(*, now: datetime) -> None:
    """Bring up to date what periodic jobs keep: sessions that are over, months, popularity."""
    await session_changes.finish_past(now=now)
    await session_changes.refresh(None, now=now)
    await search.count_bookings(now=now)


async def tidy_queue(cast: Cast, *, now: datetime) -> None:
    """Drop the mails of the past, and spread the documents so that today's work isn't kept waiting.

    First those of the companies that somebody signs in for, newest first.
    """
    await db.execute("DELETE FROM due_work WHERE state = 'queued' AND kind = ANY ($1) AND run_at < $2", list(_MAILS), now - MAILS_KEPT)
    await db.execute(
        "UPDATE mail_message SET state = 'sent', sent_at = created_at WHERE state = 'queued' AND created_at < $1", now - MAILS_KEPT
    )
    later = "UPDATE due_work SET run_at = $1 WHERE state = 'queued' AND kind = ANY ($2) AND run_at < $1"
    await db.execute(later, now + _PAPERS_OF_THE_PAST, ["billing.reminder_mail", "settlement.render"])
    await db.execute(later, now + _AFTER_THE_COPIES, ["billing.stripe_credit", "billing.stripe_void", "billing.stripe_uncollectible"])
    await db.execute(_NEVER_COPIED)
    first = [cast.houses[key].company_id for key in ("demo", "other")]
    sql = "SELECT i.id, i.issued_at FROM invoice i JOIN debtor d ON d.id = i.debtor_id ORDER BY d.owner_id = ANY ($1) DESC, issued_at DESC, number DESC"
    for at, row in enumerate(await db.records(sql, first)):
        key = f"billing.render:{row['id']}"
        if await work.withdraw(key):
            run_at = now + _FIRST_PAPER + at * _BETWEEN_PAPERS
            await work.enqueue("billing.render", {"invoice": str(row["id"])}, run_at=run_at, now=now, dedupe_key=key)
        if row["issued_at"] < now - MAILS_KEPT:
            await _mailed(row["id"], row["issued_at"])


async def _mailed(invoice_id: UUID, at: datetime) -> None:
    """Note that the mail of an old invoice needs no sending any more."""
    key = f"billing.mail_invoice:{invoice_id}:complete"
    await work.enqueue("billing.mail_invoice", {"invoice": str(invoice_id)}, run_at=at, dedupe_key=key)
    await db.execute("UPDATE due_work SET state = 'done', done_at = run_at WHERE dedupe_key = $1", key)
    for row in await db.records(_SENT, invoice_id, at):
        event = "invoice.delivered" if row["channel"] == "peppol" else "invoice.sent"
        await audit.record(event, actor=SYSTEM, subject=("invoice", invoice_id), data={"delivery": row["delivery_id"]}, now=at)


_SENT = """
    WITH made AS (
        INSERT INTO delivery (id, invoice_id, round, channel, address, cause, state, message, made_at, state_at)
        SELECT gen_random_uuid(), id, 1, CASE WHEN buyer ->> 'channel' = 'peppol' THEN 'peppol' ELSE 'mail' END,
               CASE WHEN buyer ->> 'channel' = 'peppol' THEN concat(buyer ->> 'peppol_scheme', ':', buyer ->> 'peppol_id') ELSE buyer ->> 'email' END,
               'issued', 'delivered', '', $2, $2 FROM invoice WHERE id = $1 ON CONFLICT DO NOTHING RETURNING id, channel, address)
    INSERT INTO delivery_try (id, delivery_id, channel, address, outcome, message, tried_at)
    SELECT gen_random_uuid(), id, channel, address, 'delivered', '', $2 FROM made RETURNING delivery_id, channel
"""


async def hold_one_back(cast: Cast, *, now: datetime) -> None:
    """Let one invoice wait for Stripe until the day after tomorrow: it is issued, and not open yet."""
    sql = "SELECT i.id FROM invoice i JOIN debtor d ON d.id = i.debtor_id WHERE d.owner_id = $1 AND i.kind = 'invoice' AND i.state = 'issued' ORDER BY i.number DESC LIMIT 1"
    found = await db.value(sql, cast.houses["zijldijk"].company_id)
    if found is not None:
        await payments.leave_to_worker(UUID(str(found)), run_at=now + timedelta(days=2), now=now)


async def block_one(debtor_id: UUID, cast: Cast, *, now: datetime) -> None:
    """Let a company with an old invoice order nothing new until it is paid."""
    await policy.set_limits(debtor_id, policy.Limits(block_after_days=14), actor=cast.ecl, now=now)


async def seal() -> None:
    """Close the audit chain over everything."""
    while await audit.seal():
        pass
