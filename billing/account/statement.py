"""A debtor's statement of account: every movement of what it owes, straight from the books, with the balance before and after.

The closing balance *is* the ledger's receivable of that debtor on that day: nothing is worked out beside it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from billing import debtors, letterhead
from billing.documents.account import ENTRY_NAMES, AccountEntry, AccountStatement, EntryKind, OpenItem
from billing.story import method_name
from marketplace.kit import db
from marketplace.kit.errors import Invalid
from marketplace.kit.i18n import _, use_locale
from marketplace.kit.money import Money, euros
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from uuid import UUID

    from billing.debtors import Debtor

MOST_LINES = 5_000
_KINDS = {
    "invoice_issued": EntryKind.INVOICE,
    "credit_issued": EntryKind.CREDIT_NOTE,
    "payment_received": EntryKind.PAYMENT,
    "transfer_allocated": EntryKind.PAYMENT,
    "refund_made": EntryKind.REFUND,
    "payment_returned": EntryKind.CORRECTION,
    "set_off": EntryKind.SET_OFF,
    "written_off": EntryKind.WRITTEN_OFF,
    "write_off_reversed": EntryKind.WRITTEN_OFF,
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One movement: above zero the debtor owes more by it. ``number`` is the invoice's or credit note's."""

    on: date
    event: str
    number: str
    cents: int
    method: str
    due_on: date | None
    purchase_order: str

    @property
    def kind(self) -> EntryKind:
        """What moved the account."""
        return _KINDS.get(self.event, EntryKind.CORRECTION)

    @property
    def name(self) -> str:
        """The same in words."""
        return _(ENTRY_NAMES[self.kind])

    @property
    def detail(self) -> str:
        """One short phrase more."""
        if self.event == "payment_returned":
            return _("payment taken back")
        return method_name(self.method) if self.method else self.purchase_order

    @property
    def amount(self) -> Money:
        """The amount with its sign."""
        return Money(self.cents)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor's account over a period, both days included; cents, above zero the debtor owes."""

    debtor: debtors.Debtor
    from_on: date
    to_on: date
    opening_cents: int
    closing_cents: int
    lines: tuple[Line, ...]
    open_items: tuple[OpenItem, ...] | None

    @property
    def opening(self) -> Money:
        """What was owed before the first day."""
        return Money(self.opening_cents)

    @property
    def closing(self) -> Money:
        """What is owed at the end of the last day."""
        return Money(self.closing_cents)

    @property
    def rows(self) -> list[tuple[Line, Money]]:
        """Each movement with the balance after it."""
        made, balance = [], self.opening_cents
        for line in self.lines:
            balance += line.cents
            made.append((line, Money(balance)))
        return made

    def total(self, *kinds: EntryKind) -> Money:
        """Return the sum of the movements of some kinds."""
        return Money(sum(line.cents for line in self.lines if line.kind in kinds))


_LINES = """
    SELECT e.booked_on AS on, e.event, e.reference AS number, p.cents, coalesce(m.method, '') AS method,
           CASE WHEN e.event = 'invoice_issued' THEN i.due_on END AS due_on, coalesce(i.purchase_order, '') AS purchase_order
      FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
      LEFT JOIN invoice i ON e.event IN ('invoice_issued', 'credit_issued') AND i.id = e.source_id
      LEFT JOIN payment m ON e.event IN ('payment_received', 'transfer_allocated') AND m.id = e.source_id
     WHERE p.account = 'receivable' AND p.debtor_id = $1 AND e.booked_on BETWEEN $2 AND $3
     ORDER BY e.booked_on, e.recorded_at, e.id, p.cents DESC LIMIT $4
"""
_BALANCE = """
    SELECT coalesce(sum(p.cents), 0)::bigint FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
     WHERE p.account = 'receivable' AND p.debtor_id = $1 AND e.booked_on <= $2
"""
_OPEN = """
    SELECT i.number, i.dated_on, i.due_on, i.total_cents, coalesce(i.purchase_order, '') AS purchase_order,
           (i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents)::bigint AS open_cents
      FROM invoice i WHERE i.debtor_id = $1 AND i.kind = 'invoice'
       AND i.total_cents - i.credited_cents - i.written_off_cents - i.paid_cents + i.refunded_cents <> 0 ORDER BY i.due_on, i.number
"""


async def of(debtor_id: UUID, *, from_on: date, to_on: date, today: date) -> Account:
    """Return a debtor's account over a period. The caller knows that its reader may see it.

    What is open, invoice by invoice, is there where the period reaches today. Raises ``NotFound``, ``Invalid`` for a
    period that runs backwards or holds more than 5,000 movements.
    """
    if from_on > to_on:
        raise Invalid("period", _("The period ends before it begins."), fields={"to_on": _("Choose a day after the first.")})
    async with db.atomic():
        debtor = await debtors.get(debtor_id)
        opening = int(await db.value(_BALANCE, debtor_id, from_on - timedelta(days=1)))
        lines = await db.rows(Line, _LINES, debtor_id, from_on, to_on, MOST_LINES + 1)
        items = await db.rows(OpenItem, _OPEN, debtor_id) if to_on >= today else None
    if len(lines) > MOST_LINES:
        raise Invalid("period", _("There is too much in this period."), fields={"from_on": _("Choose a shorter period.")})
    closing = opening + sum(line.cents for line in lines)
    if items is not None and sum(item.open_cents for item in items) != closing:
        items = None  # something is dated after the period; the movements say it all the same
    return Account(
        debtor=debtor, from_on=from_on, to_on=to_on, opening_cents=opening, closing_cents=closing, lines=tuple(lines),
        open_items=None if items is None else tuple(items),
    )  # fmt: skip


def document(account: Account, *, language: str, dated_on: date) -> AccountStatement:
    """Return an account as a document, in a language."""
    page = f"{settings().base_url}/account-statement"
    with use_locale(language):
        return AccountStatement(
            language=language,
            dated_on=dated_on,
            sender=letterhead.sender(),
            addressee=letterhead.addressee(account.debtor),
            from_on=account.from_on,
            to_on=account.to_on,
            opening_cents=account.opening_cents,
            closing_cents=account.closing_cents,
            entries=tuple(
                AccountEntry(on=line.on, kind=line.kind, reference=line.number, cents=line.cents, detail=line.detail, due_on=line.due_on)
                for line in account.lines
            ),
            open_items=account.open_items,
            payment_reference=_reference(account),
            payment_link=page.partition("://")[2],
            payment_url=page,
        )


def _reference(account: Account) -> str:
    """Return the numbers that a payer of the whole balance quotes, when they fit in one remittance."""
    text = " ".join(item.number for item in account.open_items or () if item.open_cents > 0)
    return text if len(text) <= 140 else ""


def csv_header() -> list[str]:
    """Return the headings in the current language."""
    return [_("Date"), _("What"), _("Reference"), _("Detail"), _("Due date"), _("Amount"), _("Balance")]


def csv_rows(account: Account) -> list[list[object]]:
    """Return the account as rows for a spreadsheet, with its opening and closing balance."""
    rows: list[list[object]] = [[account.from_on.isoformat(), _("Opening balance"), "", "", "", None, euros(account.opening_cents)]]
    rows += [
        [
            line.on.isoformat(),
            line.name,
            line.number,
            line.detail,
            line.due_on.isoformat() if line.due_on else "",
            euros(line.cents),
            euros(balance.cents),
        ]
        for line, balance in account.rows
    ]
    return [*rows, [account.to_on.isoformat(), _("Closing balance"), "", "", "", None, euros(account.closing_cents)]]


def default_period(today: date) -> tuple[date, date]:
    """Return this year so far. Pure."""
    return today.replace(month=1, day=1), today


async def debtor_of(owner_id: UUID | None) -> Debtor | None:
    """Return the debtor of a company, or None."""
    return None if owner_id is None else await debtors.of_owner(owner_id)
