"""Where a payee is paid: each account is proposed by one person and approved by another at ECL, before any money goes there.

An IBAN is never changed: a new one is a new row that waits, while payouts go on to the one that was approved. Once a new one is
approved, batches that would have paid the old one need a new approval themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from stdnum import bic as bic_number
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError

from billing.settlement import payees, readdress, tell
from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Permission, require

if TYPE_CHECKING:
    from marketplace.kit.identity import Actor

# Countries of the Single Euro Payments Area, by the first letters of an IBAN. Source: EPC409-09.
SEPA = frozenset(
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA".split()  # noqa: SIM905
)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A bank account of a payee; state ``pending``, ``approved``, ``refused`` or ``replaced``."""

    id: UUID
    payee_id: UUID
    iban: str
    bic: str | None
    holder_name: str
    state: str
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None

    @property
    def shown(self) -> str:
        """The IBAN in groups of four."""
        return iban_number.format(self.iban)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An account as somebody types it. Without ``holder_name`` it is the payee's own name."""

    iban: str
    bic: str | None = None
    holder_name: str | None = None


_SELECT = f"SELECT {', '.join(Account.__struct_fields__)} FROM payee_account"  # noqa: S608 - field names


async def of(payee_id: UUID) -> list[Account]:
    """Return a payee's accounts, newest first."""
    return await db.rows(Account, f"{_SELECT} WHERE payee_id = $1 ORDER BY proposed_at DESC, id DESC", payee_id)


async def approved(payee_id: UUID) -> Account | None:
    """Return the account that a payee is paid on, or None while none was approved."""
    return await db.row(Account, f"{_SELECT} WHERE payee_id = $1 AND state = 'approved'", payee_id)


async def get(account_id: UUID) -> Account:
    """Return an account. Raises ``NotFound``."""
    found = await db.row(Account, f"{_SELECT} WHERE id = $1", account_id)
    if found is None:
        raise NotFound("not_found", _("There is no such account."))
    return found


async def propose(payee_id: UUID, proposal: Proposal, *, actor: Actor, now: datetime) -> UUID:
    """Put an account up for approval and return its id; one that waited before is refused by that. Both sides get a mail.

    ECL may for every payee, a partner for itself. Raises ``Forbidden``, ``NotFound``, ``Invalid``, ``Conflict`` ``same_account``.
    """
    if actor.account_id is None:
        raise Forbidden("forbidden", _("An account is proposed by a person."))
    iban, bic = _checked(proposal)
    async with db.atomic():
        payee = await payees.get(payee_id, lock=True)
        _check_may(actor, payee)
        current = await approved(payee_id)
        if current is not None and current.iban == iban:
            raise Conflict(
                "same_account",
                _("This is the account that is used already."),
                fields={"iban": _("This is the account that is used already.")},
            )
        await _withdraw_pending(payee_id, actor=actor, now=now)
        made = ids.new_id()
        await db.execute(
            "INSERT INTO payee_account (id, payee_id, iban, bic, holder_name, state, proposed_by, proposed_at)"
            " VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7)",
            made, payee_id, iban, bic, proposal.holder_name or payee.legal_name, actor.account_id, now,
        )  # fmt: skip
        await audit.record("payee_account.proposed", actor=actor, subject=("payee", payee_id), data={"account": made}, now=now)
        await tell.account_proposed(payee, made, now=now)
    return made


def _check_may(actor: Actor, payee: payees.Payee) -> None:
    if actor.is_partner and payee.owner_id == actor.partner_id:
        return
    require(actor, Permission.MANAGE_SETTLEMENT)


def _checked(proposal: Proposal) -> tuple[str, str | None]:
    wrong: dict[str, str] = {}
    iban = iban_number.compact(proposal.iban)
    bic = bic_number.compact(proposal.bic or "") or None
    try:
        iban_number.validate(iban)
    except ValidationError:
        wrong["iban"] = _("This IBAN isn't right: check its letters and digits, such as NL91 ABNA 0417 1643 00.")
    else:
        if iban[:2] not in SEPA:
            wrong["iban"] = _("ECL pays by SEPA: give an account in a SEPA country.")
    if bic is not None and not bic_number.is_valid(bic):
        wrong["bic"] = _("A BIC has eight or eleven letters and digits, such as ABNANL2A.")
    if wrong:
        raise Invalid("invalid", " ".join(wrong.values()), fields=wrong)
    return iban, bic


async def _withdraw_pending(payee_id: UUID, *, actor: Actor, now: datetime) -> None:
    sql = "UPDATE payee_account SET state = 'refused', decided_by = $2, decided_at = $3 WHERE payee_id = $1 AND state = 'pending'"
    await db.execute(sql, payee_id, actor.account_id, now)


async def approve(account_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Approve a proposed account: from now on the payee is paid there. The partner gets a mail.

    Batches that have not gone to the bank lose their approval and get the new account. Raises ``Forbidden`` for who proposed
    it (``four_eyes``), ``NotFound``, ``Conflict`` ``already_decided``.
    """
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        account, payee = await _locked(account_id)
        if account.state == "approved" and account.decided_by == actor.account_id:
            return
        _check_pending(account)
        if actor.account_id is None or account.proposed_by == actor.account_id:
            raise Forbidden(
                "four_eyes", _("Somebody else approves this: you proposed it yourself."), next_step=_("Ask a colleague at ECL.")
            )
        await db.execute("UPDATE payee_account SET state = 'replaced' WHERE payee_id = $1 AND state = 'approved'", payee.id)
        await _decide(account, "approved", actor=actor, now=now)
        await readdress.batches(payee.id, account.id, actor=actor, now=now)
        await tell.account_decided(payee, account.id, approved=True, now=now)


async def refuse(account_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Refuse a proposed account; nothing changes for the payouts. Raises ``Forbidden``, ``NotFound``, ``Conflict``."""
    require(actor, Permission.MANAGE_SETTLEMENT)
    async with db.atomic():
        account, payee = await _locked(account_id)
        if account.state == "refused":
            return
        _check_pending(account)
        await _decide(account, "refused", actor=actor, now=now)
        await tell.account_decided(payee, account.id, approved=False, now=now)


async def _decide(account: Account, state: str, *, actor: Actor, now: datetime) -> None:
    sql = "UPDATE payee_account SET state = $2, decided_by = $3, decided_at = $4 WHERE id = $1 AND state = 'pending'"
    await db.execute(sql, account.id, state, actor.account_id, now)
    await audit.record(f"payee_account.{state}", actor=actor, subject=("payee", account.payee_id), data={"account": account.id}, now=now)


async def _locked(account_id: UUID) -> tuple[Account, payees.Payee]:
    payee = await payees.get((await get(account_id)).payee_id, lock=True)
    return await get(account_id), payee


def _check_pending(account: Account) -> None:
    if account.state != "pending":
        raise Conflict("already_decided", _("This account has been decided on already."))
