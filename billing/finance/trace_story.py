"""The time line of a trace: what happened to these euros, in order. Pure."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

import msgspec

from billing.story import method_name
from marketplace.kit import clock
from marketplace.kit.i18n import _, fmt_date, fmt_datetime, fmt_money, n_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from billing.finance.trace import Trace

_NOON = time(12)


class Happened(msgspec.Struct, frozen=True, order=True):
    """Something that happened; ``exact`` is false where only the day is known."""

    at: datetime
    title: str
    detail: str = ""
    exact: bool = True

    @property
    def when(self) -> str:
        """Return the moment in words."""
        return fmt_datetime(self.at, "medium") if self.exact else fmt_date(self.at, "medium")


def tell(found: Trace) -> list[Happened]:
    """Return what happened, oldest first."""
    return sorted([*_ordered(found), *_billed(found), *_paid(found), *_earned(found)], key=lambda one: one.at)


def _ordered(found: Trace) -> Iterator[Happened]:
    for at in sorted({item.created_at for item in found.items}):
        here = [item for item in found.items if item.created_at == at]
        yield Happened(at, _("Ordered"), n_("one item to bill", "{n} items to bill", len(here)))
    for at in sorted({item.ready_at for item in found.items if item.ready_at}):
        yield Happened(at, _("The order stands: it may be billed"))


def _billed(found: Trace) -> Iterator[Happened]:
    for paper in found.papers:
        words = (
            _("Credit note {number}", number=paper.number) if paper.kind == "credit_note" else _("Invoice {number}", number=paper.number)
        )
        yield Happened(paper.issued_at, words, f"{fmt_money(paper.total)}{f' · {paper.reason}' if paper.reason else ''}")
    for at in sorted({one.made_at for one in found.documents}):
        yield Happened(at, _("Documents made and stored"), ", ".join(one.kind for one in found.documents if one.made_at == at))
    for sent in found.deliveries:
        words = {"delivered": _("Delivered"), "failed": _("Delivery failed")}.get(sent.state, _("On its way to the debtor"))
        yield Happened(sent.state_at, words, f"{sent.channel} · {sent.address}")


def _paid(found: Trace) -> Iterator[Happened]:
    for payment in found.payments:
        yield Happened(payment.received_at, _("{amount} received", amount=fmt_money(payment.amount)), method_name(payment.method))
    for refund in found.refunds:
        if refund.done_at is None:
            yield Happened(refund.requested_at, _("{amount} to be paid back", amount=fmt_money(refund.amount)), refund.reason)
        else:
            yield Happened(refund.done_at, _("{amount} paid back", amount=fmt_money(refund.amount)), refund.reason)
    for entry in found.bank:
        yield Happened(_noon(entry.booked_on), _("{amount} on our bank account", amount=fmt_money(entry.amount)), entry.name, exact=False)


def _earned(found: Trace) -> Iterator[Happened]:
    for line in found.earned if found.items else []:
        yield Happened(line.created_at, _("{partner} earns {amount}", partner=line.payee_name, amount=fmt_money(line.earned)))
    for statement in found.statements:
        yield Happened(statement.issued_at, _("Partner's statement {number}", number=statement.number), fmt_money(statement.total))
    for payout in found.payouts:
        if payout.paid_on:
            words = _("{amount} paid to {partner}", amount=fmt_money(payout.amount), partner=payout.payee_name)
            yield Happened(_noon(payout.paid_on), words, payout.batch_number, exact=False)


def _noon(on: date) -> datetime:
    return clock.instant(on, _NOON)
