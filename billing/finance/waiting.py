"""What waits for somebody in finance, counted: each with its page. Counts stop at ``BOUND``, so that they stay quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from billing.dunning import blocking
from billing.finance.back import HELD
from marketplace.kit import db
from marketplace.kit.i18n import N_, _
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from datetime import date

    from marketplace.kit.identity import Actor

BOUND = 1_000
MOST_BLOCKED = 500


class Waiting(msgspec.Struct, frozen=True):
    """So many of a kind wait; ``cents`` is what they come to, where that says anything."""

    key: str
    count: int
    cents: int | None = None

    @property
    def words(self) -> str:
        """Return what they are."""
        return _(KINDS[self.key][0])

    @property
    def href(self) -> str:
        """Return the page where they are dealt with."""
        return KINDS[self.key][1]

    @property
    def amount(self) -> Money | None:
        """Return what they come to."""
        return None if self.cents is None else Money(self.cents)

    @property
    def many(self) -> bool:
        """Tell whether there may be more than were counted."""
        return self.count >= (MOST_BLOCKED if self.key == "blocked" else BOUND)


KINDS: dict[str, tuple[str, str]] = {
    "bank": (N_("Bank entries without a place"), "/bank-files"),
    "differences": (N_("Differences with Stripe"), "/finance/differences"),
    "refunds": (N_("Money to pay back"), "/finance/refunds"),
    "held": (N_("Invoices held back"), "/invoice-runs"),
    "runs": (N_("Invoice runs to look at"), "/invoice-runs"),
    "blocked": (N_("Companies that may not order"), "/reminders"),
    "statements": (N_("Partners' statements to pay"), "/partner-statements"),
    "batches": (N_("Payouts to approve or send"), "/payout-batches"),
}
"""What can wait: its words and its page, the most pressing first."""

_FROM: dict[str, tuple[str, str | None]] = {
    "bank": ("bank_entry WHERE state = 'open'", "abs(cents - allocated_cents)"),
    "differences": ("stripe_difference WHERE resolved_at IS NULL", "abs(ours_cents - theirs_cents)"),
    "refunds": (f"invoice i WHERE {HELD}", "i.paid_cents - i.refunded_cents - i.total_cents + i.credited_cents + i.written_off_cents"),
    "held": ("invoice_hold WHERE state = 'held'", None),
    "runs": ("invoice_run WHERE state = 'preview'", None),
    "statements": ("partner_statement WHERE state = 'agreed' AND total_cents > 0", "total_cents - paid_out_cents"),
    "batches": (
        "payout_batch WHERE state IN ('draft', 'approved', 'exported')",
        "(SELECT coalesce(sum(p.cents), 0) FROM payout_item p WHERE p.batch_id = payout_batch.id)",
    ),
}


def _count(key: str, source: str, amount: str | None) -> str:
    return (
        f"SELECT '{key}' AS key, count(*) AS count, {'sum(cents)::bigint' if amount else 'NULL::bigint'} AS cents"  # noqa: S608
        f" FROM (SELECT {amount or '0'} AS cents FROM {source} LIMIT {BOUND}) {key}_few"
    )


COUNTS = " UNION ALL ".join(_count(key, source, amount) for key, (source, amount) in _FROM.items())
_RAIL = {
    "differences": "/finance",
    "refunds": "/finance",
    "bank": "/bank-files",
    "statements": "/partner-statements",
    "batches": "/payout-batches",
}
_IN_RAIL = " UNION ALL ".join(_count(key, _FROM[key][0], None) for key in _RAIL)


async def in_rail() -> dict[str, int]:
    """Return how many things wait behind each entry of the desk's rail, by its address, in one query."""
    found: dict[str, int] = {}
    for one in await db.rows(Waiting, _IN_RAIL):
        if one.count:
            found[_RAIL[one.key]] = found.get(_RAIL[one.key], 0) + one.count
    return found


async def read(*, actor: Actor, today: date) -> list[Waiting]:
    """Return what waits, of each kind that has any."""
    found = {one.key: one for one in await db.rows(Waiting, COUNTS)}
    blocked = [one for one in await blocking.listed(actor=actor, today=today) if one.pass_until_on is None and one.block(today=today)]
    found["blocked"] = Waiting("blocked", len(blocked), sum(one.late.cents for one in blocked))
    return [found[key] for key in KINDS if key in found and found[key].count]
