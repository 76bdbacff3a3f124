"""The verbs of the payment page: what a visitor's choice does, and transfers, debits and refunds that arrive later."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.sandbox import payments, refunds, store
from billing.sandbox.operations import Call
from marketplace.kit import db

if TYPE_CHECKING:
    from billing.sandbox.wire import Json


class Method(StrEnum):
    """How a visitor pays."""

    IDEAL = "ideal"
    CARD = "card"
    BANK_TRANSFER = "bank_transfer"
    SEPA_DEBIT = "sepa_debit"


class Outcome(StrEnum):
    """What then happens."""

    OK = "ok"
    FAIL = "fail"


class Amount(StrEnum):
    """How much a bank transfer brings: all that is due, 10 % less, or 10 % more."""

    EXACT = "exact"
    SHORT = "short"
    OVER = "over"


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form on the page."""

    method: Method
    outcome: Outcome
    amount: Amount = Amount.EXACT


async def pay(token: str, choice: Choice, *, base: str) -> Json | None:
    """Do what the visitor chose, if the invoice can still be paid; return the invoice, or None when there is no such page."""
    async with db.atomic():
        invoice = await store.by_lookup("invoice", token, lock=True)
        if invoice is None or invoice["status"] not in {"open", "uncollectible"} or await under_way(invoice["id"]):
            return invoice
        call = await internal_call(base)
        if choice.method is Method.BANK_TRANSFER:
            cents = await _transferred(invoice, choice.amount)
            await payments.start_transfer(call, invoice, cents=cents, bounces=choice.outcome is Outcome.FAIL)
        elif choice.method is Method.SEPA_DEBIT:
            bounces = choice.outcome is Outcome.FAIL
            await payments.start_transfer(call, invoice, cents=invoice["amount_remaining"], bounces=bounces, method="sepa_debit")
        elif choice.outcome is Outcome.OK:
            await payments.succeed(call, invoice, method=choice.method.value)
        else:
            await payments.fail(call, invoice, method=choice.method.value)
        return invoice


async def internal_call(base: str) -> Call:
    """Return a call that no API request made."""
    return Call(now=int((await store.now()).timestamp()), request_id=None, key=None, base=base, operation="page")


async def _transferred(invoice: Json, amount: Amount) -> int:
    due = int(invoice["amount_remaining"]) - await held(invoice["id"])
    tenth = max(due // 10, 1)
    return {Amount.EXACT: due, Amount.SHORT: max(due - tenth, 1), Amount.OVER: due + tenth}[amount]


async def held(invoice_id: str) -> int:
    """Return what arrived for an invoice without covering it yet, in cents."""
    found = await store.children("payment_intent", invoice_id)
    return int(found[-1].get("_held", 0)) if found else 0


async def under_way(invoice_id: str) -> bool:
    """Tell whether a bank transfer is on its way."""
    return bool(await db.value("SELECT 1 FROM sandbox_transfer WHERE invoice_id = $1 AND state = 'under_way'", invoice_id))


class _Transfer(msgspec.Struct):
    id: UUID
    invoice_id: str
    amount_cents: int
    bounces: int


async def settle_due() -> int:
    """Let the bank transfers arrive (or bounce) whose time has come on the sandbox's clock; return how many."""
    async with db.atomic():
        sql = """
            SELECT id, invoice_id, amount_cents, bounces FROM sandbox_transfer
            WHERE state = 'under_way' AND due_at <= $1 ORDER BY due_at LIMIT 20 FOR UPDATE SKIP LOCKED
        """
        due = await db.rows(_Transfer, sql, await store.now())
        for transfer in due:
            await _settle(transfer)
        return len(due)


async def _settle(transfer: _Transfer) -> None:
    state = "bounced" if transfer.bounces else "arrived"
    await db.execute("UPDATE sandbox_transfer SET state = $2 WHERE id = $1", transfer.id, state)
    call = await internal_call("")
    if transfer.invoice_id.startswith("re_"):
        await refunds.arrive(call, transfer.invoice_id)
        return
    invoice = await store.find("invoice", transfer.invoice_id, lock=True)
    if invoice is None:
        return
    if invoice["status"] not in {"open", "uncollectible"}:
        await payments.too_late(call, invoice, cents=0 if transfer.bounces else transfer.amount_cents)
        return
    if transfer.bounces:
        await payments.fail(call, invoice, method="customer_balance")
    else:
        await payments.arrive(call, invoice, cents=transfer.amount_cents)
