"""The VAT return of a period, box by box, and the listing of services to businesses in the EU, from the ledger's postings.

Boxes are those of the Dutch return (aangifte omzetbelasting). Turnover counts on the day on which its invoice or credit
note was booked. VAT-exempt turnover has no box; it is kept as a memo, for the adviser who decides on deduction.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from billing.books.chart import REDUCED, STANDARD
from billing.ledger import Account
from marketplace.kit import db
from marketplace.kit.i18n import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SALES = (Account.REVENUE, Account.COMMISSION)
BOXES: dict[str, str] = {
    "1a": N_("Taxed at the standard rate (21%)"),
    "1b": N_("Taxed at the reduced rate (9%)"),
    "1c": N_("Taxed at other rates"),
    "1e": N_("Taxed at 0%, or not taxed with you"),
    "3b": N_("Services to businesses in other EU states"),
    "5a": N_("VAT due"),
    "5b": N_("Input VAT"),
    "5c": N_("To pay (below zero: to get back)"),
}
"""The boxes that ECL's business can fill, in the order of the return."""
MEMO = "exempt"
MEMO_NAME = N_("VAT-exempt turnover (in no box)")
_ADDED_UP = ("1a", "1b", "1c", "1e", "3b")
# Greece also by the prefix of its VAT ids; Northern Ireland (XI) counts for goods only.
EU = frozenset(
    ["AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "PL", "PT",
     "RO", "SE", "SI", "SK"]
)  # fmt: skip


class Taxed(msgspec.Struct, frozen=True, kw_only=True):
    """A sum of postings of one account and VAT treatment: cents, debit above zero. Country and id are the buyer's."""

    account: Account
    vat_category: str
    vat_rate: Decimal
    country: str | None = None
    vat_id: str | None = None
    name: str = ""
    cents: int


class Box(msgspec.Struct, frozen=True):
    """A box in cents, and in whole euros as the return takes them: rounded in the taxpayer's favour, as it allows."""

    box: str
    name: str
    net: int
    vat: int
    net_euros: int
    vat_euros: int


class Service(msgspec.Struct, frozen=True):
    """What was supplied to one business elsewhere in the EU: a line of the listing (opgaaf ICP); cents, whole euros."""

    vat_id: str
    name: str
    net: int
    net_euros: int


class VatReturn(msgspec.Struct, frozen=True, kw_only=True):
    """A return: what is to be filled in. ``rounding`` is what the whole euros leave over of the exact VAT, in cents.

    ``problems`` are sentences about turnover that the return or the listing can't place.
    """

    from_on: date
    until_on: date
    boxes: list[Box]
    exempt: int
    services: list[Service]
    due: int
    due_euros: int
    rounding: int
    problems: list[str]

    def box(self, name: str) -> Box:
        """Return one box. Raises ``KeyError`` for one that the return doesn't have."""
        for one in self.boxes:
            if one.box == name:
                return one
        raise KeyError(name)


def box_of(category: str, rate: Decimal, country: str | None) -> str:
    """Return the box of a sale: by its VAT category and rate, and for a reverse charge by the buyer's country. Pure."""
    if category == "S":
        return "1a" if rate == STANDARD else "1b" if rate == REDUCED else "1c"
    if category == "AE":
        return "3b" if (country or "").upper() in EU else "1e"
    return "1e" if category == "Z" else MEMO


def fill(rows: Iterable[Taxed], *, from_on: date, until_on: date) -> VatReturn:
    """Return the return of these sums. Pure; half of the tests are on this function."""
    net, vat, services = defaultdict[str, int](int), defaultdict[str, int](int), defaultdict[tuple[str, str], int](int)
    for row in rows:
        if row.account is Account.INPUT_VAT:
            vat["5b"] += row.cents
            continue
        box = box_of(row.vat_category, row.vat_rate, row.country)
        if row.account is Account.VAT:
            vat[box] -= row.cents
            continue
        net[box] -= row.cents
        if box == "3b":
            services[(_vat_id(row.vat_id), row.name)] -= row.cents
    problems = []
    if vat[MEMO]:
        problems.append(_("There is VAT on turnover that is booked as VAT-exempt: look at its invoices."))
    if any(not vat_id for vat_id, _name in services):
        problems.append(_("Reverse-charged turnover lacks the buyer's VAT id: the listing can't be sent in."))
    vat["5a"] = sum(vat[box] for box in _ADDED_UP)
    vat["5c"] = vat["5a"] - vat["5b"]
    boxes = _boxes(net, vat)
    due, euros = vat["5c"], next(one.vat_euros for one in boxes if one.box == "5c")
    return VatReturn(
        from_on=from_on, until_on=until_on, boxes=boxes, exempt=net[MEMO], services=_listed(services), due=due, due_euros=euros,
        rounding=due - euros * 100, problems=problems,
    )  # fmt: skip


def _boxes(net: dict[str, int], vat: dict[str, int]) -> list[Box]:
    """Round each box to whole euros: what is due downwards, what is reclaimed upwards; the sums add the rounded boxes."""
    euros = {box: down(vat[box]) for box in _ADDED_UP}
    euros["5a"] = sum(euros.values())
    euros["5b"] = up(vat["5b"])
    euros["5c"] = euros["5a"] - euros["5b"]
    return [Box(box, _(name), net[box], vat[box], down(net[box]), euros[box]) for box, name in BOXES.items()]


def _listed(services: dict[tuple[str, str], int]) -> list[Service]:
    """Return the listing by VAT id: one line each, whatever the buyer was called at the time; a line of nothing is left out."""
    sums, names = defaultdict[str, int](int), dict[str, str]()
    for (vat_id, name), cents in services.items():
        sums[vat_id] += cents
        names[vat_id] = name
    return [Service(vat_id, names[vat_id], sums[vat_id], down(sums[vat_id])) for vat_id in sorted(sums) if sums[vat_id]]


def down(cents: int) -> int:
    """Return whole euros, rounded towards less."""
    return cents // 100


def up(cents: int) -> int:
    """Return whole euros, rounded towards more."""
    return -(-cents // 100)


def _vat_id(text: str | None) -> str:
    return "".join((text or "").upper().replace(".", "").split())


# What the buyer was when the document was issued stands on the document; other entries know the debtor as it is today.
_FROM = "ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id"
_WHERE = "e.booked_on BETWEEN $1 AND $2 AND p.account IN ('revenue', 'commission', 'vat', 'input_vat')"
_ROWS = f"""
    SELECT p.account, p.vat_category, p.vat_rate, NULL::text AS country, NULL::text AS vat_id, '' AS name, sum(p.cents)::bigint AS cents
      FROM {_FROM} WHERE {_WHERE} AND p.vat_category <> 'AE' GROUP BY 1, 2, 3
    UNION ALL
    SELECT p.account, p.vat_category, p.vat_rate, coalesce(i.buyer ->> 'country', d.country), coalesce(i.buyer ->> 'vat_id', d.vat_id),
           coalesce(d.name, ''), sum(p.cents)::bigint
      FROM {_FROM} LEFT JOIN debtor d ON d.id = p.debtor_id LEFT JOIN invoice i ON i.id = e.source_id
     WHERE {_WHERE} AND p.vat_category = 'AE' GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - constants


async def read(from_on: date, until_on: date) -> VatReturn:
    """Return the VAT return of the days from ``from_on`` up to and including ``until_on``."""
    rows: Sequence[Taxed] = await db.rows(Taxed, _ROWS, from_on, until_on)
    return fill(rows, from_on=from_on, until_on=until_on)
