"""From the rows of a reminder to the document that is printed: what is still open of it, interest and costs where they are asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import debtors, letterhead
from billing.documents.reminder import InterestLine, OverdueInvoice
from billing.documents.reminder import Reminder as Document
from billing.dunning import interest, policy
from billing.dunning.holds import OPEN_CENTS
from marketplace.kit import db
from marketplace.kit.calendar import add_working_days
from marketplace.kit.i18n import _, use_locale
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing.documents.parts import Party
    from billing.dunning.due import Due

__all__ = ["Claims", "Document", "claims", "document", "file_name"]

LAST = 3
PAY_WITHIN = 7
_MOST_REFERENCE = 140


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked above the invoices themselves."""

    interest: tuple[InterestLine, ...] = ()
    costs_cents: int = 0

    def interest_of(self, number: str) -> int:
        """Return the interest on one invoice, in cents."""
        return sum(line.cents for line in self.interest if line.invoice_number == number)


async def claims(one: Due, rules: policy.Policy, *, today: date) -> Claims:
    """Return interest and collection costs of a last reminder, where the rules ask for them; nothing on the first two."""
    if one.level < LAST:
        return Claims()
    lines: list[InterestLine] = []
    if rules.interest:
        known = await interest.rates()
        for each in one.invoices:
            found = interest.interest(each.open_cents, due_on=each.due_on, until_on=today, rates=known)
            lines += [
                InterestLine(
                    invoice_number=each.number, base_cents=part.base_cents, rate=part.percent, from_on=part.from_on, until_on=part.until_on, cents=part.cents
                )
                for part in found
            ]  # fmt: skip
    costs = interest.collection_costs(one.open.cents) if rules.costs else 0
    return Claims(interest=tuple(lines), costs_cents=costs)


class _Head(msgspec.Struct, frozen=True):
    debtor_id: UUID
    level: int
    dated_on: date
    language: str
    costs_cents: int


class _Item(msgspec.Struct, frozen=True):
    number: str
    dated_on: date
    due_on: date
    total_cents: int
    open_cents: int
    purchase_order: str
    asked_interest: bool


_ITEMS = f"""
    SELECT i.number, i.dated_on, i.due_on, i.total_cents, least({OPEN_CENTS}, t.open_cents)::bigint AS open_cents,
           coalesce(i.purchase_order, '') AS purchase_order, t.interest_cents > 0 AS asked_interest
      FROM reminder_item t JOIN invoice i ON i.id = t.invoice_id
     WHERE t.reminder_id = $1 AND i.state IN ('issued', 'open') AND {OPEN_CENTS} > 0 ORDER BY i.due_on, i.number
"""  # noqa: S608 - constants


async def document(reminder_id: UUID) -> Document | None:
    """Return a reminder as a document, with what is open of it now; None when nothing is."""
    head = await db.row(_Head, "SELECT debtor_id, level, dated_on, language, costs_cents FROM reminder WHERE id = $1", reminder_id)
    items = await db.rows(_Item, _ITEMS, reminder_id)
    if head is None or not items:
        return None
    debtor = await debtors.get(head.debtor_id)
    rules = await policy.get()
    limits = await policy.limits_of(head.debtor_id)
    known = await interest.rates() if any(item.asked_interest for item in items) else []
    with use_locale(head.language):
        return _document(head, items, known, to=letterhead.addressee(debtor), blocked_on=_blocked_on(head, items, rules, limits))


def _document(head: _Head, items: Sequence[_Item], known: Sequence[interest.Rate], *, to: Party, blocked_on: date | None) -> Document:
    lines = tuple(
        InterestLine(
            invoice_number=item.number, base_cents=part.base_cents, rate=part.percent, from_on=part.from_on, until_on=part.until_on, cents=part.cents
        )
        for item in items
        if item.asked_interest
        for part in interest.interest(item.open_cents, due_on=item.due_on, until_on=head.dated_on, rates=known)
    )  # fmt: skip
    page = f"{settings().base_url}/invoices?show=overdue"
    open_cents = sum(item.open_cents for item in items)
    costs = min(head.costs_cents, interest.collection_costs(open_cents))  # what was paid since asks for less
    return Document(
        language=head.language,
        dated_on=head.dated_on,
        sender=letterhead.sender(),
        addressee=to,
        level=head.level,
        invoices=tuple(
            OverdueInvoice(
                number=item.number, dated_on=item.dated_on, due_on=item.due_on, total_cents=item.total_cents, open_cents=item.open_cents,
                purchase_order=item.purchase_order,
            )
            for item in items
        ),
        pay_by_on=add_working_days(head.dated_on, PAY_WITHIN),
        total_cents=open_cents + sum(line.cents for line in lines) + costs,
        interest=lines,
        costs_cents=costs,
        costs_text=_("Collection costs (art. 6:96 of the Dutch Civil Code)") if costs else "",
        blocked_on=blocked_on,
        payment_reference=_reference([item.number for item in items]),
        payment_link=page.partition("://")[2],
        payment_url=page,
    )  # fmt: skip


def _blocked_on(head: _Head, items: Sequence[_Item], rules: policy.Policy, limits: policy.Limits | None) -> date | None:
    """Return from when new orders wait; said on the second and last reminder."""
    after = rules.block_after_days if limits is None else limits.block_after_days
    if head.level == 1 or after is None or (limits is not None and limits.never_blocks):
        return None
    return min(item.due_on for item in items) + timedelta(days=after + 1)


def _reference(numbers: Sequence[str]) -> str:
    """Return what the payer quotes: every number as long as they fit in one remittance, so that the transfer finds them all."""
    fits: list[str] = []
    for number in numbers:
        if len(" ".join([*fits, number])) > _MOST_REFERENCE:
            break
        fits.append(number)
    return " ".join(fits)


def file_name(level: int, language: str) -> str:
    """Return the PDF's name in the reader's language."""
    with use_locale(language):
        return {1: _("reminder"), 2: _("second-reminder")}.get(level, _("final-reminder"))
