"""What cancelling costs, and until when: pure functions over a policy's tiers (RULES §5).

A tier reaches until its boundary before the start, and the boundary belongs to the buyer. Days are counted on Leiden's
wall clock (14 days before Monday 09:30 is a Monday 09:30, also when the clock changed in between); hours are elapsed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from marketplace.kit import clock, db, ids
from marketplace.kit.money import Money, share

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Until ``days`` and ``hours`` before the start, the fee is a share of the price plus a fixed sum."""

    days: int = 0
    hours: int = 0
    percent: int = 0
    fixed_cents: int = 0


class PolicyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as an order line freezes it; tiers run from the farthest boundary to the nearest."""

    code: str
    name_nl: str
    name_en: str
    tiers: tuple[Tier, ...]
    moving: tuple[Tier, ...] = ()


class Boundary(msgspec.Struct, frozen=True):
    """Up to and including ``until`` the fee is ``amount``."""

    until: datetime
    percent: int
    amount: Money


class Fee(msgspec.Struct, frozen=True):
    """What cancelling costs at an instant. ``until`` is the last instant at this fee; None once the start has passed."""

    amount: Money
    percent: int
    until: datetime | None
    next_amount: Money | None


GROUP = PolicyTerms(
    code="group",
    name_nl="Groepslessen",
    name_en="Group courses",
    tiers=(Tier(days=14), Tier(days=7, percent=50), Tier(percent=100)),
    moving=(Tier(days=7), Tier(percent=50)),
)
ONE_TO_ONE = PolicyTerms(
    code="one-to-one",
    name_nl="Persoonlijke lessen",
    name_en="One-to-one",
    tiers=(Tier(hours=24), Tier(percent=100)),
    moving=(Tier(hours=24), Tier(percent=100)),
)


def until(tier: Tier, starts_at: datetime) -> datetime:
    """Return the last instant (UTC) at which a tier holds."""
    wall = clock.local(starts_at)
    day = clock.instant((wall - timedelta(days=tier.days)).date(), wall.time()) if tier.days else starts_at.astimezone(UTC)
    return day - timedelta(hours=tier.hours)


def charge(tier: Tier, price: Money) -> Money:
    """Return a tier's fee for a price: never above it, never negative."""
    asked = share(price, tier.percent) + Money(tier.fixed_cents, price.currency)
    return max(min(asked, price), Money(0, price.currency))


def boundaries(policy: PolicyTerms, price: Money, starts_at: datetime) -> list[Boundary]:
    """Return the fee steps in order of time; the last one ends at the start at the latest."""
    return [Boundary(until(tier, starts_at), tier.percent, charge(tier, price)) for tier in _ordered(policy.tiers, starts_at)]


def fee(policy: PolicyTerms, price: Money, starts_at: datetime, at: datetime) -> Fee:
    """Return what cancelling costs at an instant. After the last boundary the whole price is due."""
    return _fee(boundaries(policy, price, starts_at), price, at)


def moving_fee(policy: PolicyTerms, price: Money, starts_at: datetime, at: datetime) -> Fee:
    """Return what moving to another session costs at an instant; without a table of its own, as cancelling."""
    if not policy.moving:
        return fee(policy, price, starts_at, at)
    steps = [Boundary(until(tier, starts_at), tier.percent, charge(tier, price)) for tier in _ordered(policy.moving, starts_at)]
    return _fee(steps, price, at)


def _fee(steps: Sequence[Boundary], price: Money, at: datetime) -> Fee:
    for place, step in enumerate(steps):
        if at <= step.until:
            following = steps[place + 1].amount if place + 1 < len(steps) else price
            return Fee(step.amount, step.percent, step.until, following)
    return Fee(price, 100, None, None)


def _ordered(tiers: Sequence[Tier], starts_at: datetime) -> list[Tier]:
    return sorted(tiers, key=lambda tier: until(tier, starts_at))


async def add(terms: PolicyTerms, *, now: datetime) -> UUID:
    """Keep a policy under its code, or return the one that has the code already (unchanged)."""
    made = await db.value(
        "INSERT INTO policy (id, code, name_nl, name_en, tiers, moving, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (code) DO NOTHING RETURNING id",
        ids.new_id(), terms.code, terms.name_nl, terms.name_en, list(terms.tiers), list(terms.moving), now,
    )  # fmt: skip
    if made is None:
        made = await db.value("SELECT id FROM policy WHERE code = $1", terms.code)
    return UUID(str(made))


class PolicyChoice(msgspec.Struct, frozen=True):
    """A policy to choose in a form."""

    id: UUID
    code: str
    name_nl: str
    name_en: str


async def choices() -> list[PolicyChoice]:
    """Return every policy by name."""
    return await db.rows(PolicyChoice, "SELECT id, code, name_nl, name_en FROM policy ORDER BY name_en")
