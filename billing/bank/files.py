"""Bank files and their statements as they are read, and where the chain of statements has a gap."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import db
from marketplace.kit.errors import NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money
from marketplace.kit.web import paging

if TYPE_CHECKING:
    from marketplace.kit.web.paging import Page, Place


class BankFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent. ``open`` counts its entries that still wait."""

    id: UUID
    name: str
    entries: int
    new_entries: int
    sent_at: datetime
    sent_by: str | None
    first_on: date | None
    last_on: date | None
    open: int


_SELECT = """
    SELECT f.id, f.name, f.entries, f.new_entries, f.sent_at, c.name AS sent_by,
           (SELECT min(opening_on) FROM bank_statement s WHERE s.file_id = f.id) AS first_on,
           (SELECT max(closing_on) FROM bank_statement s WHERE s.file_id = f.id) AS last_on,
           (SELECT count(*) FROM bank_entry e JOIN bank_statement s ON s.id = e.statement_id WHERE s.file_id = f.id AND e.state = 'open') AS open
      FROM bank_file f LEFT JOIN account c ON c.id = f.sent_by
"""


async def page(place: Place, *, actor: Actor) -> Page[BankFile]:
    """Return a page of the files, the latest sent first."""
    require(actor, Permission.MANAGE_INVOICES)
    where = f"WHERE (f.sent_at, f.id) {place.before} ($1, $2)" if place.started else ""
    sql = f"{_SELECT} {where} ORDER BY f.sent_at {place.descending}, f.id {place.descending} LIMIT {place.fetch:d}"
    found = await db.rows(BankFile, sql, *(place.key if place.started else ()))
    return paging.page(found, place, key=lambda row: (row.sent_at, row.id))


async def get(file_id: UUID, *, actor: Actor) -> BankFile:
    """Return a file. Raises ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    found = await db.row(BankFile, f"{_SELECT} WHERE f.id = $1", file_id)
    if found is None:
        raise NotFound("not_found", _("There is no such bank file."))
    return found


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of a file. ``before_cents`` is how the one before it closed: another amount means that one is missing."""

    id: UUID
    iban: str
    reference: str
    number: str
    opening_on: date
    closing_on: date
    opening_cents: int
    closing_cents: int
    entries: int
    new_entries: int
    before_cents: int | None
    before_on: date | None

    @property
    def opening(self) -> Money:
        """What stood on the account at the start."""
        return Money(self.opening_cents)

    @property
    def closing(self) -> Money:
        """What stood on it at the end."""
        return Money(self.closing_cents)

    @property
    def before(self) -> Money:
        """What stood on it at the end of the statement before."""
        return Money(self.before_cents or 0)

    @property
    def follows(self) -> bool:
        """Tell whether it opens where the one before it closed."""
        return self.before_cents is None or self.before_cents == self.opening_cents


async def statements(file_id: UUID) -> list[Statement]:
    """Return the statements of a file that the caller may see, the earliest first."""
    sql = """
        SELECT s.id, s.iban, s.reference, s.number, s.opening_on, s.closing_on, s.opening_cents, s.closing_cents, s.entries, s.new_entries,
               b.closing_cents AS before_cents, b.closing_on AS before_on
          FROM bank_statement s
          LEFT JOIN LATERAL (SELECT closing_cents, closing_on FROM bank_statement p
              WHERE p.iban = s.iban AND p.id <> s.id AND p.closing_on <= s.opening_on AND p.opening_on < s.closing_on
              ORDER BY p.closing_on DESC, p.opening_on DESC, p.id DESC LIMIT 1) b ON true
         WHERE s.file_id = $1 ORDER BY s.opening_on, s.id
    """
    return await db.rows(Statement, sql, file_id)


class Balance(msgspec.Struct, frozen=True):
    """What the bank said last, and what our books say on that day; cents."""

    on: date
    bank_cents: int
    book_cents: int

    @property
    def bank(self) -> Money:
        """The bank's balance."""
        return Money(self.bank_cents)

    @property
    def difference(self) -> Money:
        """The books less the bank."""
        return Money(self.book_cents - self.bank_cents)


async def balance() -> Balance | None:
    """Return the bank's last closing balance and the movement of our books since its first opening; None before any file.

    The books begin with the first statement: its opening balance is added to what was booked on ``bank`` from there.
    """
    sql = """
        WITH last AS (SELECT iban, closing_on, closing_cents FROM bank_statement ORDER BY closing_on DESC, opening_on DESC, id DESC LIMIT 1),
             first AS (SELECT opening_cents FROM bank_statement s, last WHERE s.iban = last.iban ORDER BY s.opening_on, s.id LIMIT 1)
        SELECT last.closing_on AS on, last.closing_cents AS bank_cents,
               (first.opening_cents + coalesce((SELECT sum(e.cents) FROM bank_entry e WHERE e.account = last.iban AND e.booked_on <= last.closing_on), 0))::bigint
               AS book_cents
          FROM last, first
    """
    return await db.row(Balance, sql)
