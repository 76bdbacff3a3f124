"""Payout batches: what leaves for the partners in one file of the bank. One person drafts it, another approves it.

Lock order: batch, statements by id. The file is made once from the approved batch, and its bytes are kept. What the bank does
with it afterwards is in ``transfers``.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing import numbering
from billing.settlement import issue, pain, statements
from billing.settlement.lines import Line
from billing.settlement.statements import Statement, StatementState
from marketplace.kit import audit, calendar, clock, db, ids
from marketplace.kit.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from marketplace.kit.i18n import N_, _
from marketplace.kit.identity import Permission, require
from marketplace.kit.money import Money
from marketplace.kit.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketplace.kit.identity import Actor


class BatchState(StrEnum):
    """``exported``: the file was made · ``sent``: it was handed to the bank · ``paid``: the bank has said of each how it went."""

    DRAFT = "draft"
    APPROVED = "approved"
    EXPORTED = "exported"
    SENT = "sent"
    PAID = "paid"
    CANCELLED = "cancelled"


_S = BatchState
TRANSITIONS: dict[BatchState, frozenset[BatchState]] = {
    _S.DRAFT: frozenset({_S.APPROVED, _S.CANCELLED}),
    _S.APPROVED: frozenset({_S.DRAFT, _S.EXPORTED, _S.CANCELLED}),
    _S.EXPORTED: frozenset({_S.SENT, _S.CANCELLED}),
    _S.SENT: frozenset({_S.PAID}),
    _S.PAID: frozenset(),
    _S.CANCELLED: frozenset(),
}
NAMES: dict[BatchState, str] = {
    _S.DRAFT: N_("To be approved"),
    _S.APPROVED: N_("Approved"),
    _S.EXPORTED: N_("File made"),
    _S.SENT: N_("At the bank"),
    _S.PAID: N_("Done"),
    _S.CANCELLED: N_("Cancelled"),
}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch, with what it comes to; cents."""

    id: UUID
    number: str
    state: BatchState
    pay_on: date
    debit_iban: str
    debit_bic: str
    debit_name: str
    drafted_by: UUID
    drafted_at: datetime
    drafted_name: str | None
    approved_by: UUID | None
    approved_at: datetime | None
    approved_name: str | None
    exported_at: datetime | None
    sent_at: datetime | None
    total_cents: int
    items: int

    @property
    def total(self) -> Money:
        """The sum of its payments."""
        return Money(self.total_cents)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of a batch. ``account_state`` is how its account stands today: only ``approved`` ones are paid."""

    id: UUID
    batch_id: UUID
    position: int
    statement_id: UUID
    statement_number: str
    invoice_number: str | None
    payee_id: UUID
    payee_name: str
    account_id: UUID
    account_state: str
    iban: str
    bic: str | None
    holder_name: str
    cents: int
    end_to_end: str
    state: str
    paid_on: date | None
    return_reason: str | None

    @property
    def amount(self) -> Money:
        """What is paid."""
        return Money(self.cents)


_BATCH = """
    SELECT b.id, b.number, b.state, b.pay_on, b.debit_iban, b.debit_bic, b.debit_name, b.drafted_by, b.drafted_at, d.name AS drafted_name,
           b.approved_by, b.approved_at, a.name AS approved_name, b.exported_at, b.sent_at, coalesce(t.cents, 0)::bigint AS total_cents,
           coalesce(t.items, 0) AS items
    FROM payout_batch b LEFT JOIN account d ON d.id = b.drafted_by LEFT JOIN account a ON a.id = b.approved_by
        LEFT JOIN LATERAL (SELECT sum(cents) AS cents, count(*) AS items FROM payout_item i WHERE i.batch_id = b.id) t ON true
"""
_ITEM = """
    SELECT i.id, i.batch_id, i.position, i.statement_id, s.number AS statement_number, s.invoice_number, i.payee_id, p.legal_name AS payee_name,
           i.account_id, a.state AS account_state, a.iban, a.bic, a.holder_name, i.cents, i.end_to_end, i.state, i.paid_on, i.return_reason
    FROM payout_item i JOIN partner_statement s ON s.id = i.statement_id JOIN payee p ON p.id = i.payee_id JOIN payee_account a ON a.id = i.account_id
"""


async def listed(*, limit: int = 100) -> list[Batch]:
    """Return the newest batches."""
    return await db.rows(Batch, f"{_BATCH} ORDER BY b.drafted_at DESC, b.id DESC LIMIT $1", limit)


async def get(batch_id: UUID, *, lock: bool = False) -> Batch:
    """Return a batch; with ``lock``, held until the transaction ends. Raises ``NotFound``."""
    found = await db.row(Batch, f"{_BATCH} WHERE b.id = $1{' FOR UPDATE OF b' if lock else ''}", batch_id)
    if found is None:
        raise NotFound("not_found", _("There is no such payout."))
    return found


async def by_name(name: str) -> Batch:
    """Return a batch by its id or its number. Raises ``NotFound``."""
    found = await db.value("SELECT id FROM payout_batch WHERE id::text = $1 OR number = $2", name.lower(), name.upper())
    if found is None:
        raise NotFound("not_found", _("There is no such payout."))
    return await get(UUID(str(found)))


async def items(batch_id: UUID) -> list[Item]:
    """Return a batch's payments in their order."""
    return await db.rows(Item, f"{_ITEM} WHERE i.batch_id = $1 ORDER BY i.position", batch_id)


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that could be paid now, and how much of it; ``account_id`` None means that no account was approved."""

    statement: Statement
    cents: int
    account_id: UUID | None


async def ready(*, lock: bool = False) -> list[Ready]:
    """Return the statements that are to be paid: agreed, invoiced, above zero, less what is objected to."""
    sql = """
        SELECT s.id, (SELECT a.id FROM payee_account a WHERE a.payee_id = s.payee_id AND a.state = 'approved') AS account_id
        FROM partner_statement s WHERE s.state = 'agreed' AND s.total_cents > s.paid_out_cents AND (s.invoice_number IS NOT NULL OR s.earned_cents = 0)
        ORDER BY s.id
    """
    found = []
    for row in await db.records(sql + (" FOR UPDATE OF s" if lock else "")):
        statement = await statements.by_id(row["id"])
        cents = statement.total_cents - statement.paid_out_cents - await _held(statement)
        if cents > 0:
            found.append(Ready(statement=statement, cents=cents, account_id=row["account_id"]))
    return found


async def _held(statement: Statement) -> int:
    """Return what of a statement isn't paid for now, with its VAT: the lines that the partner objects to."""
    if not statement.open_objections:
        return 0
    sql = (
        f"SELECT {', '.join(Line.__struct_fields__)} FROM settlement_line l WHERE l.statement_id = $1"  # noqa: S608 - field names
        " AND NOT EXISTS (SELECT 1 FROM statement_objection o WHERE o.line_id = l.id AND o.state = 'open')"
    )
    free = issue.totals(await db.rows(Line, sql, statement.id))
    return max(0, statement.earned_cents + statement.vat_cents - sum(part.earned_cents + part.vat_cents for part in free))


async def draft(*, pay_on: date, actor: Actor, now: datetime) -> UUID:
    """Put together a batch of everything that is ready, to be paid on a day; return its id. Somebody else approves it.

    Raises ``Forbidden``, ``Invalid`` for a day on which banks don't pay, ``Conflict`` ``nothing_to_pay``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    if actor.account_id is None:
        raise Forbidden("forbidden", _("A payout is drafted by a person."))
    if pay_on < clock.today(now) or not calendar.is_working_day(pay_on):
        sentence = _("Choose a working day, today or later.")
        raise Invalid("invalid", sentence, fields={"pay_on": sentence})
    async with db.atomic():
        payable = [one for one in await ready(lock=True) if one.account_id is not None]
        if not payable:
            raise Conflict(
                "nothing_to_pay", _("There is nothing to pay out now."), next_step=_("See on the statements what each of them waits for.")
            )
        made, number = ids.new_id(), (await numbering.next_number("P-", clock.today(now))).number
        operator = settings().operator
        await db.execute(
            "INSERT INTO payout_batch (id, number, state, pay_on, debit_iban, debit_bic, debit_name, drafted_by, drafted_at, state_at)"
            " VALUES ($1, $2, 'draft', $3, $4, $5, $6, $7, $8, $8)",
            made, number, pay_on, operator.iban.replace(" ", ""), operator.bic, operator.name, actor.account_id, now,
        )  # fmt: skip
        await _fill(made, number, payable, actor=actor, now=now)
        data = {"number": number, "items": len(payable), "cents": sum(one.cents for one in payable)}
        await audit.record("payout_batch.drafted", actor=actor, subject=("payout_batch", made), data=data, now=now)
    return made


async def _fill(batch_id: UUID, number: str, payable: Sequence[Ready], *, actor: Actor, now: datetime) -> None:
    for position, one in enumerate(payable, start=1):
        await db.execute(
            "INSERT INTO payout_item (id, batch_id, position, statement_id, payee_id, account_id, cents, end_to_end, state, state_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'planned', $9)",
            ids.new_id(), batch_id, position, one.statement.id, one.statement.payee_id, one.account_id, one.cents, f"{number}-{position}", now,
        )  # fmt: skip
        await statements.move(one.statement, StatementState.IN_BATCH, actor=actor, now=now)


async def approve(batch_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Approve a batch that somebody else drafted: now its file can be made. Twice by the same person is once.

    Raises ``Forbidden`` (``four_eyes``), ``NotFound``, ``InvalidTransition``, ``Conflict`` ``account_changed``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        batch = await get(batch_id, lock=True)
        if batch.state is _S.APPROVED and batch.approved_by == actor.account_id:
            return
        if actor.account_id is None or batch.drafted_by == actor.account_id:
            raise Forbidden("four_eyes", _("Somebody else approves this: you drafted it yourself."), next_step=_("Ask a colleague at ECL."))
        await check_accounts(batch)
        await move(batch, _S.APPROVED, actor=actor, now=now, also=", approved_by = $5, approved_at = $4", args=(actor.account_id,))


async def check_accounts(batch: Batch) -> None:
    """Raise ``Conflict`` ``account_changed`` when a payment would go to an account that isn't the approved one any more."""
    changed = [item.payee_name for item in await items(batch.id) if item.account_state != "approved"]
    if changed:
        raise Conflict(
            "account_changed",
            _("The account of {name} has changed since this payout was put together.", name=", ".join(changed)),
            next_step=_("Cancel this payout and draft a new one."),
        )


async def cancel(batch_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Give up a batch that has not gone to the bank: its statements are to be paid again. Raises as ``approve`` does."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        batch = await get(batch_id, lock=True)
        if batch.state is _S.CANCELLED:
            return
        await move(batch, _S.CANCELLED, actor=actor, now=now)
        for item in await items(batch_id):
            await db.execute("UPDATE payout_item SET state = 'dropped', state_at = $2 WHERE id = $1", item.id, now)
            statement = await statements.by_id(item.statement_id, lock=True)
            await statements.move(statement, StatementState.AGREED, actor=actor, now=now)


async def export(batch_id: UUID, *, actor: Actor, now: datetime) -> bytes:
    """Return the bank's file of an approved batch: made the first time, the same bytes ever after.

    Raises ``Forbidden``, ``NotFound``, ``Conflict`` (``not_approved``, ``account_changed``, ``payout_cancelled``).
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        batch = await get(batch_id, lock=True)
        kept = await db.records("SELECT file, file_sha256 FROM payout_batch WHERE id = $1 AND file IS NOT NULL", batch_id)
        if kept:
            await _check_payable(batch)
            return _intact(batch, kept[0]["file"], kept[0]["file_sha256"])
        if batch.state is not _S.APPROVED or batch.approved_at is None:
            raise Conflict(
                "not_approved", _("This payout isn't approved, so there is no file of it."), next_step=_("Ask a colleague to approve it.")
            )
        await check_accounts(batch)
        content = pain.write(initiation(batch, await items(batch_id), today=clock.today(now)))
        digest = hashlib.sha256(content).digest()
        await move(batch, _S.EXPORTED, actor=actor, now=now, also=", file = $5, file_sha256 = $6, exported_at = $4", args=(content, digest))
    return content


async def _check_payable(batch: Batch) -> None:
    """Refuse a made file that the bank must not get any more: what it pays is paid by another batch, or to another account."""
    if batch.state is _S.CANCELLED:
        raise Conflict(
            "payout_cancelled",
            _("Payout {number} is cancelled: its file must not go to the bank.", number=batch.number),
            next_step=_("Use the file of the payout that took its place."),
        )
    if batch.state is _S.EXPORTED:
        await check_accounts(batch)


def _intact(batch: Batch, content: bytes, digest: bytes) -> bytes:
    if hashlib.sha256(content).digest() != digest:
        message = f"the stored file of {batch.number} does not match its SHA-256"
        raise RuntimeError(message)
    return content


def initiation(batch: Batch, payments: Sequence[Item], *, today: date) -> pain.Initiation:
    """Return a batch as the bank's file says it; a day of payment that has passed is the next on which banks pay. Pure."""
    pay_on = batch.pay_on if batch.pay_on >= today else calendar.add_working_days(today - timedelta(days=1), 1)
    return pain.Initiation(
        message_id=batch.number,
        made_at=batch.approved_at or batch.drafted_at,
        pay_on=pay_on,
        name=batch.debit_name,
        iban=batch.debit_iban,
        bic=batch.debit_bic,
        transfers=tuple(
            pain.Transfer(
                end_to_end=item.end_to_end,
                cents=item.cents,
                name=item.holder_name,
                iban=item.iban,
                bic=item.bic or "",
                remittance=" ".join(part for part in (item.statement_number, item.invoice_number) if part),
            )
            for item in payments
        ),
    )


async def move(batch: Batch, to: BatchState, *, actor: Actor, now: datetime, also: str = "", args: tuple[object, ...] = ()) -> None:
    """Move a batch; ``also`` are further columns, by constants of this module, with ``args`` from $5 on."""
    if to not in TRANSITIONS[batch.state]:
        raise InvalidTransition("invalid_transition", _("Payout {number} can't be changed like this any more.", number=batch.number))
    sql = f"UPDATE payout_batch SET state = $2, state_at = $4{also} WHERE id = $1 AND state = $3"  # noqa: S608 - constants
    await db.execute(sql, batch.id, to.value, batch.state.value, now, *args)
    data = {"from": batch.state.value, "to": to.value}
    await audit.record("payout_batch.moved", actor=actor, subject=("payout_batch", batch.id), data=data, now=now)


async def file(batch_id: UUID, *, actor: Actor) -> tuple[Batch, bytes]:
    """Return the file that was made of a batch, as it was. Raises as ``export`` does."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    batch = await get(batch_id)
    kept = await db.records("SELECT file, file_sha256 FROM payout_batch WHERE id = $1 AND file IS NOT NULL", batch_id)
    if not kept:
        raise Conflict("not_approved", _("There is no file of this payout yet."), next_step=_("Have it approved, then make the file."))
    await _check_payable(batch)
    return batch, _intact(batch, kept[0]["file"], kept[0]["file_sha256"])
