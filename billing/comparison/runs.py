"""Rounds of comparing: every night, and when somebody asks, each open or recent invoice is looked up at Stripe.

A round is one row and one work item a subject; it has ended when none waits. What agrees again is resolved by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from billing import stripe_facts, stripe_links, stripe_waiting
from billing.comparison import differences
from billing.comparison.judge import Found, Kind, Ours, of_invoice, of_refunds
from billing.projection import project
from billing.stripe_gateway import Gateway, GatewayError, gateway
from billing.stripe_port import DisputeState, RefundState, StripeInvoice
from marketplace.kit import db, ids, periodic, work
from marketplace.kit.errors import Conflict
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

RECENT = timedelta(days=35)
KEPT_ROUNDS = 3
_STALE = timedelta(hours=6)
_CASH = "eur"


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """How far a round is. ``failed`` counts invoices that Stripe gave no answer about."""

    id: UUID
    asked_by: str
    began_at: datetime
    ended_at: datetime | None
    invoices: int
    waiting: int
    failed: int


_SELECT = """
    SELECT c.id, c.asked_by, c.began_at, c.ended_at, c.invoices,
        (SELECT count(*) FROM stripe_compared s WHERE s.comparison_id = c.id AND s.state = 'waiting') AS waiting,
        (SELECT count(*) FROM stripe_compared s WHERE s.comparison_id = c.id AND s.state = 'failed') AS failed
    FROM stripe_comparison c
"""


async def last() -> Round | None:
    """Return the newest round that has ended."""
    return await db.row(Round, f"{_SELECT} WHERE c.ended_at IS NOT NULL ORDER BY c.began_at DESC LIMIT 1")


async def under_way(*, now: datetime) -> Round | None:
    """Return the newest round when it has not ended yet; one that got stuck hours ago is no longer under way."""
    newest = await db.row(Round, f"{_SELECT} ORDER BY c.began_at DESC LIMIT 1")
    return newest if newest is not None and newest.ended_at is None and now - newest.began_at < _STALE else None


async def start(asked_by: Literal["night", "person"], *, now: datetime, slot: str = "") -> UUID:
    """Begin a round over every invoice that has a copy at Stripe and is open there or here, or is of the last five weeks."""
    sql = """
        SELECT i.id FROM invoice i JOIN stripe_link l ON l.kind = 'invoice' AND l.our_id = i.id
        WHERE i.state IN ('issued', 'open', 'processing', 'uncollectible') OR i.state_at > $1
            OR EXISTS (SELECT FROM stripe_difference d WHERE d.invoice_id = i.id AND d.resolved_at IS NULL)
        UNION SELECT i.id FROM invoice i JOIN due_work w ON w.dedupe_key = 'billing.stripe_mirror:' || i.id AND w.state = 'dead'
        WHERE i.state = 'issued'
    """
    async with db.atomic():
        invoices = [row["id"] for row in await db.records(sql, now - RECENT)]
        debtors = [row["our_id"] for row in await db.records("SELECT our_id FROM stripe_link WHERE kind = 'customer'")]
        round_id = ids.new_id()
        ended = None if invoices or debtors else now
        insert = "INSERT INTO stripe_comparison (id, asked_by, began_at, ended_at, invoices) VALUES ($1, $2, $3, $4, $5)"
        await db.execute(insert, round_id, asked_by, now, ended, len(invoices))
        for kind, subjects in (("invoice", invoices), ("debtor", debtors)):
            await _queue(round_id, kind, subjects, key=slot or str(round_id), now=now)
        forget = "DELETE FROM stripe_comparison WHERE id IN (SELECT id FROM stripe_comparison ORDER BY began_at DESC OFFSET $1)"
        await db.execute(forget, KEPT_ROUNDS)
    return round_id


async def _queue(round_id: UUID, kind: str, subjects: list[UUID], *, key: str, now: datetime) -> None:
    insert = "INSERT INTO stripe_compared (id, comparison_id, subject_id, kind, state) VALUES ($1, $2, $3, $4, 'waiting')"
    await db.execute_many(insert, [(ids.new_id(), round_id, subject, kind) for subject in subjects])
    name = "billing.stripe_compare" if kind == "invoice" else "billing.stripe_compare_cash"
    for subject in subjects:
        await work.enqueue(name, {kind: str(subject), "round": str(round_id)}, run_at=now, dedupe_key=f"{name}:{subject}:{key}")


async def ask(*, actor: Actor, now: datetime) -> UUID:
    """Begin a round because somebody wants to know. Raises ``Conflict`` while one is under way."""
    require(actor, Permission.MANAGE_INVOICES)
    if await under_way(now=now) is not None:
        raise Conflict("comparing", _("We are comparing already; look again in a minute."))
    return await start("person", now=now)


@periodic.periodic("billing.stripe_compare", cron="15 4 * * *")
async def compare_all(slot: datetime, *, now: datetime) -> None:
    """Begin the night's round."""
    await start("night", now=now, slot=f"{slot:%Y-%m-%d}")


@work.handler("billing.stripe_compare", outside=True)
async def compare(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Bring one invoice up to date from Stripe, with its refunds and disputes, and keep what then still differs."""
    invoice_id = UUID(payload["invoice"])
    try:
        await _compare(invoice_id, now=now)
    except GatewayError as error:
        if error.again and item.attempts < work.MAX_ATTEMPTS:
            raise
        await _done(payload, invoice_id, failure=str(error), now=now)
        raise work.GiveUp(str(error)) from error
    await _done(payload, invoice_id, now=now)


async def _compare(invoice_id: UUID, *, now: datetime) -> None:
    stripe_id = await stripe_links.of("invoice", invoice_id)
    steps = await stripe_waiting.steps(invoice_id)
    if stripe_id is None:
        at = await differences.ours(invoice_id)
        if at is not None and any(step.state == "dead" for step in steps):
            await differences.keep([Found(Kind.NOT_THERE, at.owed_cents, 0)], debtor_id=at.debtor_id, invoice_id=invoice_id, now=now)
        return
    stripe = gateway()
    copy = await stripe.invoice(stripe_id)
    if copy is not None:
        await project(invoice_id, copy, now=now, failed=True)
        await _bring_back(stripe, invoice_id, copy, now=now)
    at = await differences.ours(invoice_id)
    if at is None or any(step.state != "dead" for step in await stripe_waiting.steps(invoice_id)):
        return
    found = of_invoice(at, copy)
    found += await _refunds(stripe, at, copy) if copy is not None else []
    await differences.keep(found, debtor_id=at.debtor_id, invoice_id=invoice_id, now=now)
    if any(one.kind is Kind.NOT_SETTLED for one in found):
        await work.enqueue("billing.stripe_settled", {"invoice": str(invoice_id)}, run_at=now)


async def _bring_back(stripe: Gateway, invoice_id: UUID, copy: StripeInvoice, *, now: datetime) -> None:
    """Project every refund and dispute of the invoice's payments."""
    for intent_id in _intents(copy):
        for refund in reversed(await stripe.refunds_of(intent_id)):
            await stripe_facts.project_refund(refund, now=now)
        for dispute in reversed(await stripe.disputes_of(intent_id)):
            await stripe_facts.project_dispute(invoice_id, dispute, now=now)


def _intents(copy: StripeInvoice) -> list[str]:
    return [payment.intent_id for payment in copy.payments if payment.intent_id]


async def _refunds(stripe: Gateway, at: Ours, copy: StripeInvoice) -> list[Found]:
    rows = await db.records("SELECT source, external_id, state FROM refund WHERE invoice_id = $1 AND external_id IS NOT NULL", at.id)
    known = {row["external_id"] for row in rows}
    theirs = [refund for intent_id in _intents(copy) for refund in await stripe.refunds_of(intent_id)]
    disputes = [one for intent_id in _intents(copy) for one in await stripe.disputes_of(intent_id)]
    taken = [one for one in disputes if one.state is DisputeState.TAKEN]
    found = of_refunds(at, known, theirs, disputed_cents=sum(one.amount.cents for one in taken if one.stripe_id in known))
    lost = [Found(Kind.DISPUTE_NOT_BOOKED, 0, one.amount.cents, one.stripe_id) for one in taken if one.stripe_id not in known]
    waiting = {row["external_id"] for row in rows if row["state"] != "done"}
    overtaken = [one for one in theirs if one.state is RefundState.ARRIVED and one.stripe_id in waiting]
    return [*found, *lost, *(Found(Kind.DISPUTE_NOT_BOOKED, 0, one.amount.cents, one.stripe_id) for one in overtaken)]


@work.handler("billing.stripe_compare_cash", outside=True)
async def compare_cash(payload: dict[str, Any], *, item: work.WorkItem, now: datetime) -> None:
    """Look whether money of a debtor stands unused with Stripe: a transfer that was more than its invoice."""
    debtor_id = UUID(payload["debtor"])
    customer_id = await stripe_links.of("customer", debtor_id)
    try:
        cash = await gateway().unused_cash(customer_id) if customer_id else {}
    except GatewayError as error:
        if error.again and item.attempts < work.MAX_ATTEMPTS:
            raise
        cash = {}
    cents = cash.get(_CASH, 0)
    found = [Found(Kind.UNUSED_CASH, 0, cents)] if cents > 0 else []
    await differences.keep(found, debtor_id=debtor_id, invoice_id=None, now=now)
    await _done(payload, debtor_id, now=now)


async def _done(payload: dict[str, Any], subject_id: UUID, *, now: datetime, failure: str | None = None) -> None:
    """Note that the round has looked, and that it has ended when this was the last. Without a round there is nothing to note."""
    if "round" not in payload:
        return
    round_id = UUID(payload["round"])
    async with db.atomic():
        await db.execute("SELECT 1 FROM stripe_comparison WHERE id = $1 FOR UPDATE", round_id)
        sql = "UPDATE stripe_compared SET state = $3, failure = $4 WHERE comparison_id = $1 AND subject_id = $2"
        await db.execute(sql, round_id, subject_id, "failed" if failure else "done", failure)
        end = """
            UPDATE stripe_comparison SET ended_at = greatest(began_at, $2) WHERE id = $1 AND ended_at IS NULL
                AND NOT EXISTS (SELECT FROM stripe_compared WHERE comparison_id = $1 AND state = 'waiting')
        """
        await db.execute(end, round_id, now)
