"""Money that goes back: what a debtor has with us by an invoice, paid back by Stripe or by bank, or set off against another one.

A debtor has money with us where more was paid than is owed: paid − refunded > total − credited. Nothing here ever gives
back more than that, nor twice: the invoice's row is locked, and what is on its way back counts already. What the outside
took back itself (a dispute, a refund made at Stripe) is a fact, and is only written down.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

import msgspec

from billing import ledger, payments, states
from billing.ledger import Account, Entry, Event
from marketplace.kit import audit, clock, db, ids, work
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _, fmt_money
from marketplace.kit.identity import SYSTEM
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.identity import Actor

Source = Literal["stripe", "bank", "dispute", "setoff"]
_MOST_PARTS = 20  # of one refund by Stripe that a second press looks for; the first is enough to know it
_UNDER_WAY = "state IN ('requested', 'sent')"


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that goes back, or went. ``payment_id`` is the payment that it takes back, where it takes back one."""

    id: UUID
    invoice_id: UUID
    payment_id: UUID | None
    source: str
    external_id: str | None
    cents: int
    state: str
    reason: str
    requested_at: datetime
    done_at: datetime | None
    failure: str | None

    @property
    def amount(self) -> Money:
        """The amount."""
        return Money(self.cents)


_SELECT = f"SELECT {', '.join(Refund.__struct_fields__)} FROM refund"  # noqa: S608


async def of(invoice_id: UUID) -> list[Refund]:
    """Return what went back of an invoice that the caller may see, and what is on its way, in the order in which it was asked."""
    return await db.rows(Refund, f"{_SELECT} WHERE invoice_id = $1 ORDER BY requested_at, id", invoice_id)


async def get(refund_id: UUID, *, lock: bool = False) -> Refund:
    """Return a refund; with ``lock`` its invoice and itself are held until the transaction ends. Raises ``NotFound``."""
    if lock:
        invoice_id = await db.value("SELECT invoice_id FROM refund WHERE id = $1", refund_id)
        if invoice_id is not None:
            await states.standing(invoice_id, lock=True)
    found = await db.row(Refund, f"{_SELECT} WHERE id = $1" + (" FOR UPDATE" if lock else ""), refund_id)
    if found is None:
        raise NotFound("not_found", _("There is no such refund."))
    return found


async def available(invoice_id: UUID) -> int:
    """Return what could be given back of an invoice now, in cents: paid above what is owed, less what is on its way back."""
    return await _available(await states.standing(invoice_id))


async def _available(at: states.Standing) -> int:
    under_way = await db.value(f"SELECT coalesce(sum(cents), 0)::bigint FROM refund WHERE invoice_id = $1 AND {_UNDER_WAY}", at.id)  # noqa: S608
    return max(0, -at.open_cents - int(under_way))


async def by_stripe_at_most(invoice_id: UUID) -> int:
    """Return how much of what could be given back could go by Stripe, in cents."""
    at = await states.standing(invoice_id)
    return min(await _available(at), sum(payment.left_cents for payment in await _collected(at)))


async def by_stripe(
    invoice_id: UUID, *, cents: int | None = None, reason: str = "", actor: Actor, now: datetime, key: str = ""
) -> list[UUID]:
    """Ask Stripe to give money back to the payments it came by, the latest first; None gives back all that can be.

    Each part is a refund of its own, with a work row ``billing.stripe_refund``. The same ``key`` again is the same refund,
    also of the other two ways. Raises ``Invalid`` ``refund_too_large`` for
    more than the debtor has with us, ``Conflict`` ``not_by_stripe`` when Stripe didn't collect that much.
    """
    async with db.atomic():
        at = await states.standing(invoice_id, lock=True)
        if before := await _made(at.id, key):
            return before
        wanted = await _checked(at, cents)
        made = [
            await _insert(
                at,
                source="stripe",
                cents=part,
                payment_id=payment_id,
                reason=reason,
                actor=actor,
                now=now,
                refund_id=_named(at.id, key, place),
            )
            for place, (payment_id, part) in enumerate(await _spread(at, wanted))
        ]
        for refund_id in made:
            await work.enqueue(
                "billing.stripe_refund", {"refund": str(refund_id)}, run_at=now, dedupe_key=f"billing.stripe_refund:{refund_id}"
            )
    return made


async def by_bank(invoice_id: UUID, *, cents: int, on: date, reference: str = "", actor: Actor, now: datetime, key: str = "") -> UUID:
    """Write down that ECL paid an amount back by bank on a day. Raises as ``by_stripe``; ``Invalid`` for a day to come."""
    if on > clock.today(now):
        raise Invalid("invalid", _("This day has yet to come."), fields={"on": _("This day has yet to come.")})
    async with db.atomic():
        at = await states.standing(invoice_id, lock=True)
        if before := await _made(at.id, key):
            return before[0]
        wanted = await _checked(at, cents)
        refund_id = await _insert(at, source="bank", cents=wanted, reason=reference, actor=actor, now=now, refund_id=_named(at.id, key))
        await _done(at, refund_id, wanted, Event.REFUND_MADE, Account.BANK, done_at=clock.instant(on, time(12)), on=on, now=now)
    return refund_id


async def set_off(invoice_id: UUID, against: str, *, cents: int | None = None, actor: Actor, now: datetime, key: str = "") -> UUID:
    """Use what a debtor has with us by one invoice to pay another of theirs, by its number; None uses as much as fits.

    In one step money goes back of the one and comes in on the other, with one entry in the books; nothing leaves the bank.
    Raises ``NotFound`` for another debtor's invoice, ``Conflict`` ``not_open``, ``Invalid`` ``refund_too_large``.
    """
    async with db.atomic():
        target_id = await _other(invoice_id, against)
        standings = {each: await states.standing(each, lock=True) for each in sorted((invoice_id, target_id))}
        at, other = standings[invoice_id], standings[target_id]
        if before := await _made(at.id, key):
            return before[0]
        if other.open_cents <= 0 or other.state in {states.InvoiceState.VOID, states.InvoiceState.UNCOLLECTIBLE}:
            raise Conflict("not_open", _("Nothing is to be paid on invoice {number}.", number=other.number))
        wanted = await _checked(at, min(await _available(at), other.open_cents) if cents is None else cents, most=other.open_cents)
        refund_id = await _insert(
            at, source="setoff", cents=wanted, reason=other.number, actor=actor, now=now, refund_id=_named(at.id, key)
        )
        await _counted(refund_id, at.id, wanted, done_at=now)
        postings = ledger.moved(Account.RECEIVABLE, Account.RECEIVABLE, wanted, debtor_id=at.debtor_id)
        await ledger.book(Entry(event=Event.SET_OFF, source_id=refund_id, on=clock.today(now), reference=at.number), postings, now=now)
        data = {"refund": refund_id, "cents": wanted, "against": other.number}
        await audit.record("invoice.set_off", actor=actor, subject=("invoice", at.id), data=data, now=now)
        await states.settle(at.id, now=now)
        await payments.record(
            other.id, source="setoff", external_id=str(refund_id), cents=wanted, method="setoff", received_at=now, now=now
        )
    return refund_id


async def _other(invoice_id: UUID, number: str) -> UUID:
    sql = (
        "SELECT b.id FROM invoice a JOIN invoice b ON b.debtor_id = a.debtor_id AND b.id <> a.id AND b.kind = 'invoice'"
        " WHERE a.id = $1 AND b.number = $2"
    )
    found = await db.value(sql, invoice_id, number.strip())
    if found is None:
        sentence = _("This debtor has no other invoice with that number.")
        raise NotFound("not_found", sentence, fields={"against": sentence})
    return UUID(str(found))


def _named(invoice_id: UUID, key: str, place: int = 0) -> UUID | None:
    """Return the id of a key's refund (of its first, second … part), so that a second press finds it. None without a key."""
    return uuid5(invoice_id, f"refund:{key}:{place}") if key else None


async def _made(invoice_id: UUID, key: str) -> list[UUID]:
    """Return the refunds that this key made before; the invoice is locked."""
    wanted = [_named(invoice_id, key, place) for place in range(_MOST_PARTS)] if key else []
    found = await db.records("SELECT id FROM refund WHERE id = ANY($1)", wanted) if wanted else []
    return sorted((row["id"] for row in found), key=wanted.index)


async def _checked(at: states.Standing, cents: int | None, *, most: int | None = None) -> int:
    can = await _available(at)
    wanted = can if cents is None else cents
    limit = can if most is None else min(can, most)
    if can == 0:
        raise Conflict("nothing_to_refund", _("The debtor has nothing with us by invoice {number}.", number=at.number))
    if not 0 < wanted <= limit:
        sentence = _("Give an amount up to {amount}.", amount=fmt_money(Money(limit)))
        raise Invalid("refund_too_large", sentence, fields={"amount": sentence})
    return wanted


class _Collected(msgspec.Struct, frozen=True):
    id: UUID
    left_cents: int


async def _collected(at: states.Standing) -> list[_Collected]:
    sql = """
        SELECT p.id, (p.cents - coalesce((SELECT sum(r.cents) FROM refund r WHERE r.payment_id = p.id AND r.state <> 'failed'), 0))::bigint AS left_cents
          FROM payment p WHERE p.invoice_id = $1 AND p.source = 'stripe' ORDER BY p.received_at DESC, p.id DESC
    """
    return await db.rows(_Collected, sql, at.id)


async def _spread(at: states.Standing, wanted: int) -> list[tuple[UUID, int]]:
    """Divide an amount over the invoice's Stripe payments, each up to what is left of it."""
    parts: list[tuple[UUID, int]] = []
    for payment in await _collected(at):
        part = min(wanted - sum(cents for _id, cents in parts), payment.left_cents)
        if part > 0:
            parts.append((payment.id, part))
    if sum(cents for _id, cents in parts) < wanted:
        raise Conflict(
            "not_by_stripe",
            _("Stripe collected less than {amount} for this invoice.", amount=fmt_money(Money(wanted))),
            next_step=_("Pay the rest back by bank, or set it off."),
        )
    return parts


async def _insert(
    at: states.Standing, *, source: Source, cents: int, reason: str, actor: Actor, now: datetime,
    payment_id: UUID | None = None, external_id: str | None = None, refund_id: UUID | None = None,
) -> UUID:  # fmt: skip
    refund_id = refund_id or ids.new_id()
    sql = """
        INSERT INTO refund (id, invoice_id, credit_note_id, payment_id, source, external_id, cents, state, reason, requested_at, requested_by)
        VALUES ($1, $2, (SELECT id FROM invoice WHERE credits_id = $2 ORDER BY issued_at DESC, number DESC LIMIT 1),
                $3, $4, $5, $6, 'requested', $7, $8, $9)
    """
    await db.execute(sql, refund_id, at.id, payment_id, source, external_id, cents, reason.strip(), now, actor.account_id)
    data = {"refund": refund_id, "source": source, "cents": cents}
    await audit.record("invoice.refund_requested", actor=actor, subject=("invoice", at.id), data=data, now=now)
    return refund_id


async def sent(refund_id: UUID, *, external_id: str, now: datetime) -> None:  # noqa: ARG001 - a verb takes its instant
    """Say that Stripe has the refund and works on it. Later states stay as they are."""
    async with db.atomic():
        await get(refund_id, lock=True)
        await db.execute("UPDATE refund SET state = 'sent', external_id = $2 WHERE id = $1 AND state = 'requested'", refund_id, external_id)


async def done(refund_id: UUID, *, external_id: str | None = None, done_at: datetime | None = None, now: datetime) -> bool:
    """Say that the money is back with the debtor: it counts, and is in the books. False when that was known, or it had failed.

    Raises ``Invalid`` when more would go back than ever came: a dispute took it while this was under way.
    """
    async with db.atomic():
        found = await get(refund_id, lock=True)
        if found.state in {"done", "failed"}:
            return False
        at = await states.standing(found.invoice_id)
        if found.cents > at.paid_cents - at.refunded_cents:
            raise Invalid("refund_too_large", _("More would go back than was received for invoice {number}.", number=at.number))
        if external_id is not None:
            await db.execute("UPDATE refund SET external_id = $2 WHERE id = $1", refund_id, external_id)
        when = done_at or now
        account = Account.STRIPE if found.source in {"stripe", "dispute"} else Account.BANK
        await _done(at, refund_id, found.cents, Event.REFUND_MADE, account, done_at=when, on=clock.today(when), now=now)
    return True


async def failed(refund_id: UUID, *, failure: str, now: datetime) -> bool:
    """Say that a refund did not go: the amount is to be paid back again. False when it was decided already."""
    async with db.atomic():
        found = await get(refund_id, lock=True)
        if found.state in {"done", "failed"}:
            return False
        await db.execute("UPDATE refund SET state = 'failed', failure = $2 WHERE id = $1", refund_id, failure[:500])
        data = {"refund": refund_id, "cents": found.cents}
        await audit.record("invoice.refund_failed", actor=SYSTEM, subject=("invoice", found.invoice_id), data=data, now=now)
    return True


async def taken_back(
    invoice_id: UUID, *, source: Literal["stripe", "dispute"], external_id: str, cents: int, at: datetime, now: datetime,
    payment_id: UUID | None = None, reason: str = "",
) -> bool:  # fmt: skip
    """Write down money that the outside took back by itself: a lost dispute, or a refund made at Stripe. True when it was new.

    It is a fact, so it may leave the invoice to be paid again; a dispute is booked as a returned payment. Once per
    (source, external id). Raises ``Invalid`` when more goes back than ever came.
    """
    async with db.atomic():
        standing = await states.standing(invoice_id, lock=True)
        if await db.value("SELECT 1 FROM refund WHERE source = $1 AND external_id = $2", source, external_id):
            return False
        if not 0 < cents <= standing.paid_cents - standing.refunded_cents:
            raise Invalid("refund_too_large", _("More would go back than was received for invoice {number}.", number=standing.number))
        refund_id = await _insert(
            standing, source=source, cents=cents, payment_id=payment_id, external_id=external_id, reason=reason, actor=SYSTEM, now=now
        )
        event = Event.PAYMENT_RETURNED if source == "dispute" else Event.REFUND_MADE
        await _done(standing, refund_id, cents, event, Account.STRIPE, done_at=at, on=clock.today(at), now=now)
    return True


async def _done(
    at: states.Standing, refund_id: UUID, cents: int, event: Event, account: Account, *, done_at: datetime, on: date, now: datetime
) -> None:
    await _counted(refund_id, at.id, cents, done_at=done_at)
    entry = Entry(event=event, source_id=refund_id, on=on, reference=at.number)
    await ledger.book(entry, ledger.moved(Account.RECEIVABLE, account, cents, debtor_id=at.debtor_id), now=now)
    data = {"refund": refund_id, "cents": cents}
    await audit.record("invoice.refunded", actor=SYSTEM, subject=("invoice", at.id), data=data, now=now)
    await states.settle(at.id, now=now)


async def _counted(refund_id: UUID, invoice_id: UUID, cents: int, *, done_at: datetime) -> None:
    await db.execute("UPDATE refund SET state = 'done', done_at = $2 WHERE id = $1", refund_id, done_at)
    await db.execute("UPDATE invoice SET refunded_cents = refunded_cents + $2 WHERE id = $1", invoice_id, cents)


class Target(msgspec.Struct, frozen=True):
    """An invoice that a credit can be set off against."""

    number: str
    open_cents: int

    @property
    def open(self) -> Money:
        """What is still to be paid on it."""
        return Money(self.open_cents)


async def targets(invoice_id: UUID) -> Sequence[Target]:
    """Return the same debtor's other invoices with something to pay, the longest due first."""
    sql = """
        SELECT b.number, (b.total_cents - b.credited_cents - b.written_off_cents - b.paid_cents + b.refunded_cents)::bigint AS open_cents
          FROM invoice a JOIN invoice b ON b.debtor_id = a.debtor_id AND b.id <> a.id AND b.kind = 'invoice'
         WHERE a.id = $1 AND b.state IN ('issued', 'open', 'processing')
           AND b.total_cents - b.credited_cents - b.written_off_cents - b.paid_cents + b.refunded_cents > 0
         ORDER BY b.due_on, b.number LIMIT 50
    """
    return await db.rows(Target, sql, invoice_id)
