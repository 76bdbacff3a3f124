"""What waits for somebody in finance, counted: each with its page. Counts stop at ``BOUND``, so that they stay quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import db
from marketplace.kit.i18n import N_, _
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from datetime import datetime

BOUND = 1_000


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
        return self.count >= BOUND


KINDS: dict[str, tuple[str, str]] = {
    "bank": (N_("Bank entries without a place"), "/bank-files"),
    "differences": (N_("Differences with Stripe"), "/finance/differences"),
    "refunds": (N_("Money to pay back"), "/finance/refunds"),
    "held": (N_("Invoices held back"), "/invoice-runs"),
    "runs": (N_("Invoice runs to look at"), "/invoice-runs"),
    "reminders": (N_("Reminders to send"), "/reminders"),
    "statements": (N_("Partners' statements to pay"), "/partner-statements"),
    "batches": (N_("Payouts to approve or send"), "/payout-batches"),
}
"""What can wait: its words and its page, the most pressing first."""

_FROM: dict[str, tuple[str, str | None]] = {
    "bank": ("bank_entry WHERE state = 'open'", "abs(cents - allocated_cents)"),
    "refunds": ("refund WHERE state = 'requested'", "cents"),
    "held": ("invoice_hold WHERE state = 'held'", None),
    "runs": ("invoice_run WHERE state = 'preview'", None),
    "reminders": ("reminder WHERE state = 'due'", None),
    "statements": ("partner_statement WHERE state = 'agreed' AND total_cents > 0", "total_cents - paid_out_cents"),
    "batches": ("payout_batch WHERE state IN ('draft', 'approved', 'exported')", None),
}


def _count(key: str, source: str, amount: str | None) -> str:
    return (
        f"SELECT '{key}' AS key, count(*) AS count, {'sum(cents)::bigint' if amount else 'NULL::bigint'} AS cents"  # noqa: S608
        f" FROM (SELECT {amount or '0'} AS cents FROM {source} LIMIT {BOUND}) {key}_few"
    )


COUNTS = " UNION ALL ".join(_count(key, source, amount) for key, (source, amount) in _FROM.items())


async def read(now: datetime) -> list[Waiting]:  # noqa: ARG001 - which of them are due may come to depend on the day
    """Return what waits, of each kind that has any."""
    found = {one.key: one for one in await db.rows(Waiting, COUNTS)}
    return [found[key] for key in KINDS if key in found and found[key].count]
