"""Everything about one euro: from any number or id to the order, the invoice, the money, the books and the partner.

``read`` takes what finance has at hand: a number (invoice, credit note, partner's statement, payout batch), an id of
Stripe's, or the id of an entry of the books or of any row that it records.
"""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import msgspec

from billing.books import journal
from billing.books.journal import Entry
from billing.finance import trace_out as outgoing
from billing.finance import trace_rows as rows
from billing.finance.trace_out import AtBank, Earned, PaidOut, Told
from billing.finance.trace_rows import Bytes, Heard, Item, Link, Paper, Received, Returned, Sent
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

_INVOICE_NUMBER = re.compile(r"C?[0-9]{4}-[0-9]{6,}")
_LONGEST = 80
FEW = 12
"""Up to how many of a statement's or payout's lines are told one by one; each of more has a trace of its own."""
_BEFORE, _AFTER = timedelta(hours=1), timedelta(days=30)


class Start(msgspec.Struct, frozen=True):
    """Where a trace begins: a kind of row and its id, and the entry of the books that was asked for, if one was."""

    kind: str
    id: UUID
    entry_id: UUID | None = None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found, each list in the order of time. ``cents`` is what the trace is about."""

    ref: str
    start: Start
    papers: list[Paper]
    items: list[Item]
    documents: list[Bytes]
    deliveries: list[Sent]
    links: list[Link]
    events: list[Heard]
    payments: list[Received]
    bank: list[AtBank]
    refunds: list[Returned]
    earned: list[Earned]
    statements: list[Told]
    payouts: list[PaidOut]
    entries: list[Entry]

    @property
    def orders(self) -> list[str]:
        """Return the numbers of the orders, each once."""
        return list(dict.fromkeys(item.order_number for item in self.items if item.order_number))

    @property
    def adds_up(self) -> bool:
        """Tell whether every entry of the books adds up to zero."""
        return all(sum(side.cents for side in entry.sides) == 0 for entry in self.entries)

    @property
    def owed(self) -> Money:
        """Return what is still owed of these papers; below zero, what the debtor has with us."""
        return Money(sum(paper.open_cents for paper in self.papers))


def unknown() -> NotFound:
    """Return the refusal for what leads nowhere."""
    return NotFound("not_found", _("Nothing is known under that number or id."))


async def read(ref: str, *, actor: Actor) -> Trace:
    """Return everything about the euros behind a number or id. Raises ``NotFound``, ``Forbidden``."""
    require(actor, Permission.MANAGE_INVOICES)
    ref = ref.strip().replace("\0", "")
    start = await _resolve(ref) if ref and len(ref) <= _LONGEST else None
    if start is None:
        raise unknown()
    return await _gather(ref, start)


_BY_NUMBER = """
    SELECT 'statement' AS kind, id FROM partner_statement WHERE number = $1
    UNION ALL SELECT 'statement', id FROM partner_statement WHERE invoice_number = $1
    UNION ALL SELECT 'batch', id FROM payout_batch WHERE number = $1
    UNION ALL SELECT kind, our_id FROM stripe_link WHERE stripe_id = $1
    UNION ALL SELECT 'payment', id FROM payment WHERE source IN ('stripe', 'bank', 'manual', 'setoff') AND external_id = $1
    UNION ALL SELECT 'refund', id FROM refund WHERE source IN ('stripe', 'bank', 'dispute', 'setoff') AND external_id = $1
    LIMIT 1
"""
_TABLES = (
    ("entry", "ledger_entry"), ("invoice", "invoice"), ("payment", "payment"), ("refund", "refund"), ("charge", "charge"),
    ("line", "settlement_line"), ("statement", "partner_statement"), ("batch", "payout_batch"), ("item", "payout_item"),
    ("bank", "bank_entry"), ("allocation", "bank_allocation"),
)  # fmt: skip
_BY_ID = " UNION ALL ".join(f"SELECT '{kind}' AS kind, id FROM {table} WHERE id = $1" for kind, table in _TABLES)  # noqa: S608


async def _resolve(ref: str) -> Start | None:
    if _INVOICE_NUMBER.fullmatch(ref):
        found = await db.value("SELECT id FROM invoice WHERE number = $1", ref)
        return None if found is None else Start("invoice", UUID(str(found)))
    try:
        return await _by_id(UUID(ref))
    except ValueError:
        return await db.row(Start, _BY_NUMBER, ref)


async def _by_id(row_id: UUID) -> Start | None:
    found = await db.row(Start, _BY_ID, row_id)
    if found is None or found.kind != "entry":
        return found
    entry = await journal.one(row_id)
    assert entry is not None
    source = await db.row(Start, _BY_ID, entry.source_id)
    if source is None and entry.reference:  # a write-off has no row of its own; its reference is the invoice's number
        source = await _resolve(entry.reference)
    return Start("entry", row_id, row_id) if source is None else Start(source.kind, source.id, row_id)


# How each kind of row leads to invoices, charges, and rows on the partner's and the bank's side.
_INVOICES_OF = {
    "invoice": "SELECT $1::uuid AS id",
    "payment": "SELECT invoice_id AS id FROM payment WHERE id = $1",
    "refund": "SELECT invoice_id AS id FROM refund WHERE id = $1",
    "charge": "SELECT invoice_id AS id FROM invoice_line WHERE charge_id = $1",
    "line": "SELECT l.invoice_id AS id FROM settlement_line s JOIN invoice_line l ON l.charge_id = s.charge_id WHERE s.id = $1",
    "bank": "SELECT DISTINCT invoice_id AS id FROM bank_allocation WHERE entry_id = $1 AND invoice_id IS NOT NULL",
    "allocation": "SELECT invoice_id AS id FROM bank_allocation WHERE id = $1 AND invoice_id IS NOT NULL",
}
_STATEMENTS_OF = {
    "statement": "SELECT $1::uuid AS id",
    "batch": "SELECT statement_id AS id FROM payout_item WHERE batch_id = $1",
    "item": "SELECT statement_id AS id FROM payout_item WHERE id = $1",
}
_BANK_OF = {"bank": "SELECT $1::uuid AS id", "allocation": "SELECT entry_id AS id FROM bank_allocation WHERE id = $1"}


async def _ids(sqls: dict[str, str], start: Start) -> list[UUID]:
    sql = sqls.get(start.kind)
    return [row["id"] for row in await db.records(sql, start.id)] if sql else []


async def _gather(ref: str, start: Start) -> Trace:
    """Read all of it. A trace that begins at a partner's statement shows its lines, not the money of their invoices."""
    asked = await _ids(_INVOICES_OF, start)
    invoice_ids = list(dict.fromkeys([one for invoice_id in asked[: rows.MOST] for one in await rows.family(invoice_id)]))
    stated = await _ids(_STATEMENTS_OF, start)
    charge_ids = [start.id] if start.kind == "charge" else []
    items = await rows.items(invoice_ids, charge_ids)
    line_ids = [start.id] if start.kind == "line" else []
    earned = await outgoing.partner_lines([item.charge_id for item in items], stated, line_ids)
    if (stated or line_ids) and len(earned) <= FEW:
        items = items or await rows.items([], [line.charge_id for line in earned])
    papers, payments = await rows.papers(invoice_ids), await rows.payments(invoice_ids)
    refunds = await rows.refunds(invoice_ids)
    bank = await outgoing.bank_entries(invoice_ids, [one.id for one in refunds], await _ids(_BANK_OF, start))
    statements = await outgoing.statements(list({*stated, *(one.statement_id for one in earned if one.statement_id)}))
    batch_ids = [start.id] if start.kind == "batch" else []
    payouts = await outgoing.payouts([one.id for one in statements], batch_ids)
    links = await rows.links([*invoice_ids, *(one.id for one in payments), *(one.id for one in refunds)])
    return Trace(
        ref=ref, start=start, papers=papers, items=items, documents=await rows.documents(invoice_ids),
        deliveries=await rows.deliveries(invoice_ids), links=links, events=await _heard(papers, payments, refunds, links),
        payments=payments, bank=bank, refunds=refunds, earned=earned, statements=statements, payouts=payouts,
        entries=await _entries(start, papers, payments, refunds, bank, earned, statements, payouts),
    )  # fmt: skip


async def _heard(papers: list[Paper], payments: list[Received], refunds: list[Returned], links: list[Link]) -> list[Heard]:
    if not papers:
        return []
    ids = {link.stripe_id for link in links} | {one.external_id for one in payments if one.source == "stripe"}
    ids |= {one.external_id for one in refunds if one.source in {"stripe", "dispute"} and one.external_id}
    ends = [one.state_at for one in papers] + [one.recorded_at for one in payments] + [one.requested_at for one in refunds]
    return await rows.events(sorted(ids), papers[0].issued_at - _BEFORE, max(ends) + _AFTER)


async def _entries(
    start: Start, papers: list[Paper], payments: list[Received], refunds: list[Returned], bank: list[AtBank], earned: list[Earned],
    statements: list[Told], payouts: list[PaidOut],
) -> list[Entry]:  # fmt: skip
    """Return the entries that record any of these rows, or that name one of the papers."""
    source_ids = {one.id for one in papers} | {one.id for one in payments} | {one.id for one in refunds}
    source_ids |= {one.id for one in bank} | {one for entry in bank for one in entry.allocation_ids}
    source_ids |= {one.id for one in earned} if papers or len(earned) <= FEW else set()
    source_ids |= {one.id for one in statements} | {one.id for one in payouts} | {one.batch_id for one in payouts}
    return await journal.of_trace(sorted(source_ids), [one.number for one in papers], start.entry_id)
