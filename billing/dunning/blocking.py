"""When a company may order no more: something is overdue beyond a limit. It ends by itself with the payment, or for a while by a pass.

``orders.place`` asks ``check`` in its transaction. Nothing is stored about being blocked, so nothing can be out of date.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from billing.dunning.holds import LATE, OPEN_CENTS
from billing.dunning.policy import Limits, Policy
from marketplace.kit import audit, clock, db, ids
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.kit.i18n import _, fmt_date, fmt_money
from marketplace.kit.identity import Actor, Permission, require
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_DAYS = 92


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """What a debtor is late with: how much in all, since when, and the invoice that is due longest."""

    cents: int
    oldest_on: date
    number: str


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Why a debtor may order no more. ``days`` is how many days the oldest is late."""

    cents: int
    oldest_on: date
    number: str
    days: int

    @property
    def amount(self) -> Money:
        """What is overdue in all."""
        return Money(self.cents)

    @property
    def sentence(self) -> str:
        """What is so, for HR and finance."""
        return _("{amount} is overdue, the oldest invoice ({number}) since {date}, so nothing new can be ordered now.",
                 amount=fmt_money(self.amount), number=self.number, date=fmt_date(self.oldest_on, "long"))  # fmt: skip

    @property
    def next_step(self) -> str:
        """What to do."""
        return _("Finance can pay under Invoices. Ordering opens as soon as the payment is in.")


def judge(late: Late | None, policy: Policy, own: Limits | None, *, today: date) -> Block | None:
    """Return the block that follows from what is late and the limits, or None. Either limit is enough. Pure."""
    if late is None or late.cents <= 0:
        return None
    if own is not None and own.never_blocks:
        return None
    after, over = (policy.block_after_days, policy.block_over_cents) if own is None else (own.block_after_days, own.block_over_cents)
    days = (today - late.oldest_on).days
    if (after is None or days <= after) and (over is None or late.cents <= over):
        return None
    return Block(cents=late.cents, oldest_on=late.oldest_on, number=late.number, days=days)


class _Facts(msgspec.Struct, frozen=True):
    late: Late | None
    policy: Policy | None
    own: Limits | None
    passed: bool


_FACTS = f"""
    SELECT (SELECT CASE WHEN count(*) > 0 THEN jsonb_build_object('cents', sum({OPEN_CENTS})::bigint, 'oldest_on', min(i.due_on),
                'number', (array_agg(i.number ORDER BY i.due_on, i.number))[1]) END
              FROM invoice i WHERE i.debtor_id = $2 AND {LATE}) AS late,
           (SELECT to_jsonb(p) FROM dunning_policy p WHERE p.id = 1) AS policy,
           (SELECT to_jsonb(o) FROM debtor_dunning o WHERE o.debtor_id = $2) AS own,
           EXISTS (SELECT 1 FROM block_pass b WHERE b.debtor_id = $2 AND b.ended_at IS NULL AND b.until_on >= $1) AS passed
"""  # noqa: S608 - constants


async def blocked(debtor_id: UUID, *, today: date) -> Block | None:
    """Return why a debtor may order no more today, or None. Held, disputed and on-its-way invoices don't count."""
    facts = await db.row(_Facts, _FACTS, today, debtor_id)
    if facts is None or facts.passed:
        return None
    return judge(facts.late, facts.policy or Policy(), facts.own, today=today)


async def check(debtor_id: UUID, *, now: datetime) -> None:
    """Do nothing when a debtor may order. Raises ``Conflict`` ``overdue_blocked`` with the sentence and the next step."""
    block = await blocked(debtor_id, today=clock.today(now))
    if block is not None:
        raise Conflict("overdue_blocked", block.sentence, next_step=block.next_step)


async def of_owner(owner_id: UUID, *, today: date) -> Block | None:
    """Return the same for a company."""
    debtor_id = await db.value("SELECT id FROM debtor WHERE owner_id = $1", owner_id)
    return None if debtor_id is None else await blocked(debtor_id, today=today)


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor that is late, in ECL's list: blocked, let through, or within its limits."""

    debtor_id: UUID
    owner_id: UUID
    company: str
    late: Late
    policy: Policy | None
    own: Limits | None
    pass_until_on: date | None
    pass_reason: str | None

    def block(self, *, today: date) -> Block | None:
        """Return why it would be blocked, passes aside."""
        return judge(self.late, self.policy or Policy(), self.own, today=today)


_LISTED = f"""
    SELECT d.id AS debtor_id, d.owner_id, d.name AS company, l.late, (SELECT to_jsonb(p) FROM dunning_policy p WHERE p.id = 1) AS policy,
           to_jsonb(o) AS own, b.until_on AS pass_until_on, b.reason AS pass_reason
      FROM (SELECT i.debtor_id, jsonb_build_object('cents', sum({OPEN_CENTS})::bigint, 'oldest_on', min(i.due_on),
                'number', (array_agg(i.number ORDER BY i.due_on, i.number))[1]) AS late, min(i.due_on) AS oldest_on
              FROM invoice i WHERE {LATE} AND i.debtor_id IN (
                  SELECT first.debtor_id FROM (SELECT i.debtor_id FROM invoice i WHERE {LATE} ORDER BY i.due_on LIMIT 1000) first)
             GROUP BY i.debtor_id) l
      JOIN debtor d ON d.id = l.debtor_id LEFT JOIN debtor_dunning o ON o.debtor_id = d.id
      LEFT JOIN block_pass b ON b.debtor_id = d.id AND b.ended_at IS NULL AND b.until_on >= $1
     ORDER BY l.oldest_on, d.name LIMIT 500
"""  # noqa: S608 - constants


async def listed(*, actor: Actor, today: date) -> Sequence[Blocked]:
    """Return the debtors that are late, the longest first; at most 500."""
    require(actor, Permission.MANAGE_INVOICES)
    return await db.rows(Blocked, _LISTED, today)


async def give_pass(debtor_id: UUID, *, until_on: date, reason: str, actor: Actor, now: datetime) -> None:
    """Let a debtor order until and including a day, at most three months ahead; a new pass takes the place of the old.

    Raises ``NotFound`` and ``Invalid`` per field.
    """
    require(actor, Permission.MANAGE_INVOICES)
    today, fields = clock.today(now), {}
    if not today <= until_on <= today + timedelta(days=MOST_DAYS):
        fields["until_on"] = _("Choose a day within three months from today.")
    if not reason.strip():
        fields["reason"] = _("Say why, so that a colleague understands it later.")
    if fields:
        raise Invalid("invalid", next(iter(fields.values())), fields=fields)
    async with db.atomic():
        if await db.value("SELECT 1 FROM debtor WHERE id = $1 FOR UPDATE", debtor_id) is None:
            raise NotFound("not_found", _("There is no such billing profile."))
        await db.execute("UPDATE block_pass SET ended_at = $2 WHERE debtor_id = $1 AND ended_at IS NULL", debtor_id, now)
        sql = "INSERT INTO block_pass (id, debtor_id, until_on, reason, given_by, given_at) VALUES ($1, $2, $3, $4, $5, $6)"
        await db.execute(sql, ids.new_id(), debtor_id, until_on, reason.strip()[:300], actor.account_id, now)
        await audit.record("dunning.pass_given", actor=actor, subject=("debtor", debtor_id), data={"until": until_on}, now=now)


async def end_pass(debtor_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """End a debtor's pass; False when there was none."""
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        ended = await db.execute("UPDATE block_pass SET ended_at = $2 WHERE debtor_id = $1 AND ended_at IS NULL", debtor_id, now)
        if ended:
            await audit.record("dunning.pass_ended", actor=actor, subject=("debtor", debtor_id), now=now)
    return bool(ended)
