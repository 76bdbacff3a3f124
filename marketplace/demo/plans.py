"""The scheduled enrolments of the demo: what was planned, when it ran, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec

from marketplace.kit import clock
from marketplace.kit.money import Money
from marketplace.scheduling import schedule
from marketplace.scheduling.schedule import Wish

if TYPE_CHECKING:
    from uuid import UUID

    from marketplace.demo.catalogue import Planned
    from marketplace.demo.people import House

Step = Callable[[datetime], Awaitable[None]]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One intention. Days are counted from today; ``after`` is the earliest start. ``cap`` in euros makes it fail or not."""

    house: str
    person: int
    course: str
    made: int
    runs: int
    after: int = 0
    cap: int | None = None
    order: str | None = None
    cost_centre: str | None = None
    dated: bool = False
    withdrawn: bool = False


PLANS = (
    Plan(house="demo", person=3, course="NT-A2", made=-24, runs=-12, after=5, order="RB-2026-118"),
    Plan(house="demo", person=11, course="SB-WORK", made=-30, runs=-9, after=7),
    Plan(house="demo", person=17, course="NT-B2", made=-16, runs=-3, after=10, cap=900),
    Plan(house="demo", person=21, course="NT-C1", made=-13, runs=-1, after=200),
    Plan(house="demo", person=5, course="NT-A2", made=-8, runs=5, after=40),
    Plan(house="demo", person=8, course="NT-B1-WORK", made=-7, runs=9, after=30, order="RB-2026-131"),
    Plan(house="demo", person=14, course="NT-A1", made=-6, runs=23, after=60, cap=700),
    Plan(house="demo", person=26, course="SB-LEAD", made=-3, runs=16, dated=True),
    Plan(house="demo", person=29, course="WL-WEEK", made=-2, runs=38, after=45),
    Plan(house="demo", person=31, course="NT-TABLE", made=-20, runs=12, after=20, withdrawn=True),
    Plan(house="other", person=4, course="NT-A1", made=-22, runs=-11, after=3),
    Plan(house="other", person=9, course="RL-PRESENT", made=-14, runs=-2, after=20, cap=400),
    Plan(house="other", person=6, course="NT-A2", made=-5, runs=8, after=45),
    Plan(house="other", person=12, course="SB-FEEDBACK", made=-4, runs=20, dated=True),
    Plan(house="oortwolk", person=7, course="NT-B1-SPEAK", made=-18, runs=-6, after=5, order="4500018820"),
    Plan(house="oortwolk", person=10, course="NT-A2", made=-15, runs=-4, after=5),
    Plan(house="oortwolk", person=13, course="NT-LAB", made=-3, runs=14, after=30, order="4500018977"),
    Plan(house="duinrand", person=2, course="NT-A1", made=-9, runs=19, after=30, cost_centre="1230"),
    Plan(house="zijldijk", person=5, course="NT-CARE", made=-10, runs=6, after=10, withdrawn=True),
    Plan(house="poelmeer", person=1, course="TH-CV", made=-6, runs=11, after=15),
)


def _nine(today: datetime, days: int) -> datetime:
    """Return nine in the morning in Leiden, so many days from today."""
    return clock.instant(clock.today(today) + timedelta(days=days), time(9))


def steps(
    plans: tuple[Plan, ...], houses: dict[str, House], programmes: dict[str, UUID], sessions: list[Planned], *, today: datetime
) -> list[tuple[datetime, Step]]:
    """Return when to do what."""
    made: list[tuple[datetime, Step]] = []
    for plan in plans:
        at = _nine(today, plan.made) + timedelta(hours=2)
        made.append((at, _keep(plan, houses[plan.house], programmes[plan.course], sessions, today=today)))
    return made


def _keep(plan: Plan, house: House, programme_id: UUID, sessions: list[Planned], *, today: datetime) -> Step:
    async def step(now: datetime) -> None:
        run_at = _nine(today, plan.runs)
        session_id = next(
            (one.id for one in sessions if plan.dated and one.course.code == plan.course and one.starts_at > run_at + timedelta(days=3)),
            None,
        )
        wish = Wish(
            person_id=[body.id for body in house.people if not body.relation][plan.person],
            run_at=run_at,
            session_id=session_id,
            programme_id=None if session_id else programme_id,
            starts_after_on=None if session_id else clock.today(today) + timedelta(days=plan.after),
            price_cap=Money(plan.cap * 100) if plan.cap else None,
            purchase_order=plan.order,
            cost_centre=plan.cost_centre,
        )
        kept = await schedule.schedule(wish, actor=house.buyer, now=now)
        if plan.withdrawn:
            await schedule.withdraw(kept, actor=house.buyer, now=now)

    return step
