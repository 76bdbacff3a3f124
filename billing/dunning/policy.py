"""The rules: after how many days which reminder goes, from when a debtor may order no more, and whether interest is asked.

ECL sets them; a debtor may have limits of its own. Changing them changes what comes, never what was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from marketplace.kit import audit, db, ids
from marketplace.kit.errors import Invalid, NotFound
from marketplace.kit.i18n import _
from marketplace.kit.identity import Actor, Permission, require

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

Days = Annotated[int, msgspec.Meta(ge=1, le=365)]
LEVELS = (1, 2, 3)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Days are calendar days after the due date. ``block_…`` None means no such limit; nobody is blocked before ECL sets one.

    ``interest`` and ``costs`` (off) put statutory interest and collection costs on the last reminder.
    """

    first_days: Days = 1
    second_days: Days = 14
    third_days: Days = 30
    block_after_days: Annotated[int, msgspec.Meta(ge=1, le=730)] | None = None
    block_over_cents: Annotated[int, msgspec.Meta(ge=0)] | None = None
    interest: bool = False
    costs: bool = False

    def days(self, level: int) -> int:
        """Return after how many days the reminder of a level goes."""
        return (self.first_days, self.second_days, self.third_days)[level - 1]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """A debtor's own limits, in place of the policy's."""

    never_blocks: bool = False
    block_after_days: Annotated[int, msgspec.Meta(ge=1, le=730)] | None = None
    block_over_cents: Annotated[int, msgspec.Meta(ge=0)] | None = None


_FIELDS = Policy.__struct_fields__


async def get() -> Policy:
    """Return the rules as they are; the defaults until ECL sets them."""
    found = await db.row(Policy, f"SELECT {', '.join(_FIELDS)} FROM dunning_policy WHERE id = 1")  # noqa: S608 - our own names
    return found or Policy()


async def change(policy: Policy, *, actor: Actor, now: datetime) -> None:
    """Set the rules. Raises ``Invalid`` when the days don't rise."""
    require(actor, Permission.MANAGE_INVOICES)
    fields = {}
    if policy.second_days <= policy.first_days:
        fields["second_days"] = _("The second reminder comes after the first.")
    if policy.third_days <= policy.second_days:
        fields["third_days"] = _("The last reminder comes after the second.")
    if fields:
        raise Invalid("days", _("The days must rise."), fields=fields)
    values = [getattr(policy, name) for name in _FIELDS]
    marks = ", ".join(f"${at}" for at in range(3, len(_FIELDS) + 3))
    sets = ", ".join(f"{name} = excluded.{name}" for name in (*_FIELDS, "changed_by", "changed_at"))
    sql = f"""
        INSERT INTO dunning_policy (id, changed_by, changed_at, {", ".join(_FIELDS)}) VALUES (1, $1, $2, {marks})
        ON CONFLICT (id) DO UPDATE SET {sets}
    """  # noqa: S608 - our own names
    async with db.atomic():
        before = await get()
        await db.execute(sql, actor.account_id, now, *values)
        changed = {name: getattr(policy, name) for name in _FIELDS if getattr(policy, name) != getattr(before, name)}
        await audit.record("dunning.rules_changed", actor=actor, subject=("dunning", 1), data=changed, now=now)


async def limits_of(debtor_id: UUID) -> Limits | None:
    """Return a debtor's own limits, None where the policy's hold."""
    sql = "SELECT never_blocks, block_after_days, block_over_cents FROM debtor_dunning WHERE debtor_id = $1"
    return await db.row(Limits, sql, debtor_id)


async def set_limits(debtor_id: UUID, limits: Limits | None, *, actor: Actor, now: datetime) -> None:
    """Give a debtor limits of its own; None makes the policy's hold again. Raises ``NotFound``."""
    require(actor, Permission.MANAGE_INVOICES)
    async with db.atomic():
        if await db.value("SELECT 1 FROM debtor WHERE id = $1", debtor_id) is None:
            raise NotFound("not_found", _("There is no such billing profile."))
        if limits is None:
            await db.execute("DELETE FROM debtor_dunning WHERE debtor_id = $1", debtor_id)
        else:
            sql = """
                INSERT INTO debtor_dunning (id, debtor_id, never_blocks, block_after_days, block_over_cents, changed_by, changed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (debtor_id) DO UPDATE SET never_blocks = excluded.never_blocks,
                    block_after_days = excluded.block_after_days, block_over_cents = excluded.block_over_cents,
                    changed_by = excluded.changed_by, changed_at = excluded.changed_at
            """
            await db.execute(
                sql, ids.new_id(), debtor_id, limits.never_blocks, limits.block_after_days, limits.block_over_cents, actor.account_id, now
            )
        data = {"own": limits is not None}
        await audit.record("dunning.limits_changed", actor=actor, subject=("debtor", debtor_id), data=data, now=now)
