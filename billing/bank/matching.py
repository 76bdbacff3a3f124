"""What a bank entry pays: proposals with a score and a sentence why, the best first. Pure; nothing is booked here.

Never more than the entry is given away. *Certain* is only what the payer said and the amount confirms: our number, and
to the cent what is open. All else waits for a person.
"""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.bank import mentions
from marketplace.kit.i18n import _, fmt_list, fmt_money
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_TOGETHER = 24
MOST_STEPS = 20_000
MOST_PROPOSALS = 5
MOST_PAYERS = 3


class Kind(StrEnum):
    """What an entry turns out to be."""

    INVOICES = "invoices"
    STRIPE_PAYOUT = "stripe_payout"
    PAYOUT = "payout"
    PAYOUT_RETURNED = "payout_returned"
    REFUND = "refund"
    FEES = "fees"
    INTEREST = "interest"


class OpenInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that something may still be paid for; ``open_cents`` is above zero."""

    id: UUID
    number: str
    debtor_id: UUID
    open_cents: int
    due_on: date
    purchase_order: str = ""
    order_number: str = ""


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor as the bank may name it. ``surplus_cents``: what we have of theirs already, above what they owe."""

    id: UUID
    name: str
    names: tuple[str, ...] = ()
    ibans: frozenset[str] = frozenset()
    surplus_cents: int = 0
    surplus_note: str = ""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """The entry, as far as matching looks at it: cents with their sign, the other side, what was written."""

    cents: int
    name: str = ""
    iban: str = ""
    text: str = ""
    references: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True):
    """Cents of the entry for one invoice."""

    invoice_id: UUID
    cents: int


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with an entry. ``score`` is 0–100.

    ``subject`` is what it is about where that isn't invoices (a row's kind and id), ``label`` its number for people.
    """

    kind: Kind
    score: int
    why: str
    parts: tuple[Part, ...] = ()
    subject: str = ""
    label: str = ""
    certain: bool = False

    @property
    def key(self) -> str:
        """A name for exactly this proposal: confirming another one than was seen is refused."""
        said = [self.kind.value, self.subject, *(f"{part.invoice_id}:{part.cents}" for part in self.parts)]
        return hashlib.sha256("|".join(said).encode()).hexdigest()[:20]


def for_invoices(paper: Paper, invoices: Sequence[OpenInvoice], payers: Sequence[Payer]) -> list[Proposal]:
    """Return what money that came in may pay, the best first, at most five.

    ``invoices`` are the open ones that may be meant: of the numbers in its text, of debtors that it may come from, and
    those of just this amount.
    """
    if paper.cents <= 0:
        return []
    said = mentions.read(paper.text, *paper.references)
    by_account = [one for one in payers if paper.iban and paper.iban in one.ibans]
    by_name = [one for one in payers if paper.name and mentions.same_name(paper.name, one.names)]
    ordered = sorted(invoices, key=lambda one: (one.due_on, one.number))
    found = [*_named(paper, ordered, said, by_account)]
    for payer in (by_account or by_name)[:MOST_PAYERS]:
        found += _of_payer(paper, ordered, payer, known=bool(by_account))
    found += _of_amount(paper, ordered)
    return _best(found)


def _best(found: Iterable[Proposal]) -> list[Proposal]:
    """Return each different thing to do once, with its best reason."""
    best: dict[str, Proposal] = {}
    for one in found:
        if one.key not in best or best[one.key].score < one.score:
            best[one.key] = one
    ranked = sorted(best.values(), key=lambda one: (-one.score, one.key))
    return ranked[:MOST_PROPOSALS]


def _named(paper: Paper, invoices: Sequence[OpenInvoice], said: mentions.Mentions, by_account: Sequence[Payer]) -> Iterator[Proposal]:
    """Propose what the payer's own words name."""
    for numbers, sure in ((said.sure, True), (said.all, False)):
        meant = [one for one in invoices if one.number in numbers]
        if meant:
            known = {one.id for one in by_account}
            strange = bool(known) and any(one.debtor_id not in known for one in meant)
            yield from _of_named(paper, meant, sure=sure, strange=strange)


def _of_named(paper: Paper, meant: Sequence[OpenInvoice], *, sure: bool, strange: bool) -> Iterator[Proposal]:
    names, whole = fmt_list([one.number for one in meant]), sum(one.open_cents for one in meant)
    if whole == paper.cents:
        one_debtor = len({one.debtor_id for one in meant}) == 1
        if strange:
            why = _("It names {numbers} and is exactly what is open, but comes from another company's account.", numbers=names)
        elif len(meant) > 1:
            why = _("It names {numbers}, which together are exactly {amount}.", numbers=names, amount=_euro(paper.cents))
        else:
            why = _("It names {numbers}, of which exactly {amount} is open.", numbers=names, amount=_euro(paper.cents))
        yield _proposal(meant, [one.open_cents for one in meant], why, 100 if sure else 92, certain=sure and not strange and one_debtor)
        return
    if len(meant) > 1:
        yield from _some(paper, meant, 84 if sure else 70)
    if paper.cents < whole:
        why = _("It names {numbers}, but is {amount} short.", numbers=names, amount=_euro(whole - paper.cents))
        yield _in_turn(paper, meant, why, 78 if sure else 60)
    else:
        why = _(
            "It names {numbers}, and is {amount} more than is open. That stays with the company.",
            numbers=names,
            amount=_euro(paper.cents - whole),
        )
        yield _in_turn(paper, meant, why, 76 if sure else 55)


def _some(paper: Paper, meant: Sequence[OpenInvoice], score: int) -> Iterator[Proposal]:
    """Propose some of the named ones that make the amount together."""
    for chosen in islice(subsets(meant, paper.cents), 2):
        why = _("Of the numbers that it names, {numbers} together are exactly {amount}.",
                numbers=fmt_list([one.number for one in chosen]), amount=_euro(paper.cents))  # fmt: skip
        yield _proposal(chosen, [one.open_cents for one in chosen], why, score)


def _of_payer(paper: Paper, invoices: Sequence[OpenInvoice], payer: Payer, *, known: bool) -> Iterator[Proposal]:
    """Propose what this company may mean with an amount and no number."""
    own = [one for one in invoices if one.debtor_id == payer.id]
    if not own:
        return
    of_them = _("It comes from {name}'s account", name=payer.name) if known else _("It bears the name of {name}", name=payer.name)
    exact = [one for one in own if one.open_cents == paper.cents]
    for one in exact:
        score = (90 if known else 80) if len(exact) == 1 else 62
        why = _("{origin}, and is exactly what is open of {number}.", origin=of_them, number=one.number)
        yield _proposal([one], [paper.cents], why, score)
    together = list(islice((chosen for chosen in subsets(own, paper.cents) if len(chosen) > 1), 3))
    for chosen in together:
        score = (82 if known else 72) if len(together) == 1 and not exact else 52
        why = _("{origin}, and is exactly {numbers} together.", origin=of_them, numbers=fmt_list([one.number for one in chosen]))
        yield _proposal(chosen, [one.open_cents for one in chosen], why, score)
    if payer.surplus_cents > 0:
        yield from _deducted(paper, own, payer, of_them, known=known)
    whole = sum(one.open_cents for one in own)
    if paper.cents < own[0].open_cents:
        why = _("{origin}, and may be a part of {number}, the oldest that is open.", origin=of_them, number=own[0].number)
        yield _in_turn(paper, own[:1], why, 40 if known else 32)
    elif paper.cents > whole:
        why = _(
            "{origin}, and is {amount} more than all that is open. That stays with the company.",
            origin=of_them,
            amount=_euro(paper.cents - whole),
        )
        yield _in_turn(paper, own, why, 38 if known else 30)
    else:
        yield _in_turn(paper, own, _("{origin}. The oldest that is open first.", origin=of_them), 35 if known else 28)


def _deducted(paper: Paper, own: Sequence[OpenInvoice], payer: Payer, of_them: str, *, known: bool) -> Iterator[Proposal]:
    """Propose that the payer took off what we owed them: a credit note on something paid, or too much paid before."""
    for chosen in islice(subsets(own, paper.cents + payer.surplus_cents), 2):
        why = _("{origin}, and is {numbers} without the {amount} that we have of theirs ({note}). Set that off afterwards.",
                origin=of_them, numbers=fmt_list([one.number for one in chosen]), amount=_euro(payer.surplus_cents),
                note=payer.surplus_note or _("paid too much"))  # fmt: skip
        yield _in_turn(paper, chosen, why, 74 if known else 66)


def _of_amount(paper: Paper, invoices: Sequence[OpenInvoice]) -> Iterator[Proposal]:
    """Propose by nothing but the amount, where one invoice only has it (and better where its PO or order number is named)."""
    exact = [one for one in invoices if one.open_cents == paper.cents]
    squeezed = _squeezed(" ".join((paper.text, *paper.references)))
    for one in exact:
        named = next(
            (word for word in (one.purchase_order, one.order_number) if len(_squeezed(word)) >= 4 and _squeezed(word) in squeezed), ""
        )
        if named:
            yield _proposal(
                [one],
                [paper.cents],
                _("It names {word}, which stands on {number}, and the amount is the same.", word=named, number=one.number),
                86,
            )
    if len(exact) == 1:
        yield _proposal(exact, [paper.cents], _("{number} is the only open invoice of this amount.", number=exact[0].number), 45)


def _squeezed(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())


def _proposal(chosen: Sequence[OpenInvoice], cents: Sequence[int], why: str, score: int, *, certain: bool = False) -> Proposal:
    parts = tuple(Part(one.id, part) for one, part in zip(chosen, cents, strict=True))
    return Proposal(kind=Kind.INVOICES, score=score, why=why, parts=parts, certain=certain)


def _in_turn(paper: Paper, chosen: Sequence[OpenInvoice], why: str, score: int) -> Proposal:
    """Fill these in their order; what is left over goes on the last, as too much paid."""
    left, parts = paper.cents, list[int]()
    for one in chosen:
        parts.append(min(left, one.open_cents))
        left -= parts[-1]
    parts[-1] += left
    kept = [(one, part) for one, part in zip(chosen, parts, strict=True) if part]
    return _proposal([one for one, _part in kept], [part for _one, part in kept], why, score)


def subsets(invoices: Sequence[OpenInvoice], cents: int) -> Iterator[tuple[OpenInvoice, ...]]:
    """Give the sets of invoices whose open amounts make exactly ``cents``, the earliest due first.

    At most the 24 earliest due are looked at, and 20,000 steps taken: it answers in milliseconds, whatever comes.
    """
    few = list(invoices[:MOST_TOGETHER])
    rest = [0]
    for one in reversed(few):
        rest.append(rest[-1] + one.open_cents)
    rest.reverse()
    steps = 0
    stack: list[tuple[int, int, tuple[OpenInvoice, ...]]] = [(0, cents, ())]
    while stack and steps < MOST_STEPS:
        steps += 1
        at, left, chosen = stack.pop()
        if left == 0:
            if chosen:
                yield chosen
            continue
        if at == len(few) or left < 0 or rest[at] < left:
            continue
        stack.append((at + 1, left, chosen))
        stack.append((at + 1, left - few[at].open_cents, (*chosen, few[at])))


def _euro(cents: int) -> str:
    return fmt_money(Money(cents))
