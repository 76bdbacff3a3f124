"""The first words of HR's home: good morning by Leiden's clock, and the sentence of the day. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.kit import clock
from marketplace.kit.i18n import N_, _, n_

if TYPE_CHECKING:
    from datetime import datetime

_NOON, _EVENING, _NIGHT = 12, 18, 5
_NUMBERS = (N_("Two"), N_("Three"), N_("Four"), N_("Five"), N_("Six"), N_("Seven"), N_("Eight"), N_("Nine"))


def greet(name: str, now: datetime) -> str:
    """Return ``Good morning, Femke``, by the time of day in Leiden."""
    first, hour = name.partition(" ")[0], clock.local(now).hour
    if _NIGHT <= hour < _NOON:
        return _("Good morning, {name}", name=first)
    if _NOON <= hour < _EVENING:
        return _("Good afternoon, {name}", name=first)
    return _("Good evening, {name}", name=first)


def number_word(n: int) -> str:
    """Return a number as a sentence begins with it: ``Four``, and figures from ten up."""
    return _(_NUMBERS[n - 2]) if 2 <= n < 2 + len(_NUMBERS) else str(n)


def sentence(*, needs: int, today: int, people: int, programmes: int) -> str:
    """Say what needs the reader, how much of it today, and who is learning now."""
    return f"{_needs(needs, today)} {_learning(people, programmes)}".strip()


def _needs(needs: int, today: int) -> str:
    if not needs:
        return _("Nothing needs you today.")
    if needs == 1:
        return _("One thing needs you, today.") if today else _("One thing needs you.")
    number = number_word(needs)
    if not today:
        return _("{number} things need you.", number=number)
    if today == 1:
        return _("{number} things need you, one of them today.", number=number)
    return _("{number} things need you, {some} of them today.", number=number, some=number_word(today).lower())


def _learning(people: int, programmes: int) -> str:
    if not people:
        return ""
    if people == 1:
        return (
            _("One person is in a programme.") if programmes == 1 else _("One person is in {programmes} programmes.", programmes=programmes)
        )
    return n_("{people} people are in one programme.", "{people} people are in {n} programmes.", programmes, people=people)
