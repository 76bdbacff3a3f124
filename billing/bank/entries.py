"""Bank entries as they are read: the lists, one entry with what it was given to, and the files and statements around them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from billing.bank.matching import Kind, Paper
from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from marketplace.kit.web.paging import Page, Place

Show = Literal["open", "in", "out", "settled", "all"]
NAMES: dict[Kind, str] = {
    Kind.INVOICES: N_("Invoice"),
    Kind.STRIPE_PAYOUT: N_("Payout by Stripe"),
    Kind.PAYOUT: N_("Payout to partners"),
    Kind.PAYOUT_RETURNED: N_("Payout that came back"),
    Kind.REFUND: N_("Refund to a company"),
    Kind.FEES: N_("Bank charges"),
    Kind.INTEREST: N_("Interest and collection costs"),
}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry: what the bank said, and how much of it was given to something. ``left`` is what still waits."""

    id: UUID
    statement_id: UUID
    file_id: UUID
    cents: int
    booked_on: date
    value_on: date
    name: str
    iban: str
    text: str
    refs: tuple[str, ...]
    servicer_reference: str
    end_to_end_id: str
    code: str
    returned: str
    of_batch: bool
    state: str
    allocated_cents: int
    recorded_at: datetime

    @property
    def amount(self) -> Money:
        """What came in, or (below zero) went out."""
        return Money(self.cents)

    @property
    def left_cents(self) -> int:
        """What is given to nothing yet, with the entry's sign."""
        return self.cents - self.allocated_cents

    @property
    def left(self) -> Money:
        """The same as money."""
        return Money(self.left_cents)

    @property
    def who(self) -> str:
        """Whom the bank names, or what it says instead."""
        return self.name or self.iban or _("No name given")

    @property
    def paper(self) -> Paper:
        """What matching looks at: what is left of it."""
        return Paper(cents=self.left_cents, name=self.name, iban=self.iban, text=self.text, references=self.refs)


_SELECT = """
    SELECT e.id, e.statement_id, s.file_id, e.cents, e.booked_on, e.value_on, e.name, e.iban, e.text, e.refs, e.servicer_reference, e.end_to_end_id,
           e.code, e.returned, e.of_batch, e.state, e.allocated_cents, e.recorded_at
      FROM bank_entry e JOIN bank_statement s ON s.id = e.statement_id
"""
_SHOW: dict[str, str] = {
    "open": "e.state = 'open'",
    "in": "e.cents > 0",
    "out": "e.cents < 0",
    "settled": "e.state = 'settled'",
    "all": "true",
}


async def page(show: Show, text: str, place: Place, *, actor: Actor, file_id: UUID | None = None) -> Page[Entry]:
    """Return a page of entries, the latest first; ``text`` is part of a name or remittance, a whole IBAN, or an amount."""
    require(actor, Permission.MANAGE_INVOICES)
    where, args = [_SHOW[show]], list[object]()
    if file_id is not None:
        args.append(file_id)
        where.append(f"s.file_id = ${len(args)}")
    if wanted := text.replace("\0", "").strip():
        args += [wanted, wanted.replace(" ", "").upper(), _cents(wanted)]
        at = len(args)
        where.append(
            f"(strpos(lower(e.name || ' ' || e.text || ' ' || e.end_to_end_id), lower(${at - 2})) > 0 OR e.iban = ${at - 1} OR abs(e.cents) = ${at})"
        )
    if place.started:
        args += place.key
        where.append(f"(e.booked_on, e.id) {place.before} (${len(args) - 1}, ${len(args)})")
    sql = f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY e.booked_on {place.descending}, e.id {place.descending} LIMIT {place.fetch:d}"
    return paging.page(await db.rows(Entry, sql, *args), place, key=lambda row: (row.booked_on, row.id))


def _cents(text: str) -> int:
    """Return a text as an amount in cents, −1 when it isn't one."""
    plain = text.replace("€", "").replace(" ", "").replace(".", "").replace(",", ".", 1) if "," in text else text.replace("€", "").strip()
    whole, _dot, part = plain.partition(".")
    if (
        not (whole.isascii() and whole.isdigit())
        or not (part == "" or (part.isascii() and part.isdigit() and len(part) <= 2))
        or len(whole) > 12
    ):
        return -1
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


async def get(entry_id: UUID, *, actor: Actor, lock: bool = False) -> Entry:
    """Return an entry; with ``lock`` held until the transaction ends. Raises ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await db.row(Entry, f"{_SELECT} WHERE e.id = $1" + (" FOR UPDATE OF e" if lock else ""), entry_id)
    if found is None:
        raise NotFound("not_found", _("There is no such bank entry."))
    return found


async def waiting(file_id: UUID | None = None) -> list[Entry]:
    """Return the entries that wait, the earliest first; at most 500 at a time."""
    sql = f"{_SELECT} WHERE e.state = 'open' AND ($1::uuid IS NULL OR s.file_id = $1) ORDER BY e.booked_on, e.id LIMIT 500"
    return await db.rows(Entry, sql, file_id)


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of an entry was given to. ``undoes_id``: this row takes that one back; ``undone`` says that one did."""

    id: UUID
    kind: Kind
    cents: int
    invoice_number: str | None
    company: str | None
    subject: str
    note: str
    made_at: datetime
    made_by: str | None
    undoes_id: UUID | None
    undone: bool

    @property
    def amount(self) -> Money:
        """The amount."""
        return Money(self.cents)


async def allocations(entry_id: UUID) -> list[Allocation]:
    """Return what was done with an entry, in order."""
    sql = """
        SELECT a.id, a.kind, a.cents, i.number AS invoice_number, i.buyer ->> 'legal_name' AS company, a.subject, a.note, a.made_at,
               c.name AS made_by, a.undoes_id, EXISTS (SELECT 1 FROM bank_allocation u WHERE u.undoes_id = a.id) AS undone
          FROM bank_allocation a LEFT JOIN invoice i ON i.id = a.invoice_id LEFT JOIN account c ON c.id = a.made_by
         WHERE a.entry_id = $1 ORDER BY a.made_at, a.id
    """
    return await db.rows(Allocation, sql, entry_id)


class Sums(msgspec.Struct, frozen=True):
    """What waits: how many came in and how much, how many went out and how much (cents, above zero)."""

    came: int
    came_cents: int
    went: int
    went_cents: int


async def sums() -> Sums:
    """Return what waits for somebody to say what it was for."""
    sql = """
        SELECT count(*) FILTER (WHERE cents > 0) AS came, coalesce(sum(cents - allocated_cents) FILTER (WHERE cents > 0), 0)::bigint AS came_cents,
               count(*) FILTER (WHERE cents < 0) AS went, coalesce(-sum(cents - allocated_cents) FILTER (WHERE cents < 0), 0)::bigint AS went_cents
          FROM bank_entry WHERE state = 'open'
    """
    found = await db.row(Sums, sql)
    assert found is not None
    return found
