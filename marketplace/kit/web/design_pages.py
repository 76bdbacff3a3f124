"""``/design``: every part of the design system in every state, on invented data. Nothing here is read by the shop."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from litestar import get
from litestar.params import FromQuery

from marketplace.kit.money import Money
from marketplace.kit.web import pages
from marketplace.kit.web.forms import Form
from marketplace.kit.web.types import Html, WebRequest

_PAGES = ("parts", "programme", "money")
_STATES = ("placed", "confirmed", "waiting", "declined", "paid", "open", "overdue", "planned", "needs_attention", "draft")
_MONTHS = (2100, 3400, 2800, 4600, 3900, 2200, 1100, 600, 5200, 4800, 3200, 0)
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _card(title: str, category: str, level: str, cents: int, *, exempt: bool = True, dates: Any = (), note: str = "") -> SimpleNamespace:  # noqa: ANN401
    return SimpleNamespace(
        title=title, category=category, level=level, price=Money(cents), exempt=exempt, dates=dates, note=note,
        partner="Taalhuis Zijlpoort", where="Leiden or online",
    )  # fmt: skip


def samples() -> dict[str, Any]:
    """Return the invented data that the parts are shown with."""
    slot = {"free": ("09:30", "8 left"), "few": ("18:30", "2 left"), "full": ("18:30", "Full")}
    return {
        "states": _STATES,
        "form": Form(
            None,
            {"purchase_order": "Start with 45 and give ten digits. You gave 8.", "email": "The part after @ is missing."},
            {"purchase_order": "45001288", "email": "hana.novotna", "level": "a1", "days": ["mon"], "language": "nl"},
        ),
        "amounts": SimpleNamespace(
            price=Money(193500), spent=Money(964000), earmarked=Money(645000), limit=Money(4000000), nothing=Money(0)
        ),
        "months": [
            (name, value, 1500 if name == "Nov" else 2700 if name == "Dec" else 0) for name, value in zip(_NAMES, _MONTHS, strict=True)
        ],
        "first": date(2027, 1, 1),
        "today": date(2027, 1, 18),
        "closed": {date(2027, 1, 1): "New Year", date(2027, 1, 2): "", date(2027, 1, 3): ""},
        "slots": {
            date(2027, 1, day): [SimpleNamespace(id=name, time=slot[state][0], words=slot[state][1], state=state, checked=name == "a")]
            for day, name, state in ((18, "a", "few"), (20, "b", "full"), (26, "c", "free"))
        },
        "cards": [
            _card("Dutch for newcomers", "language", "A0 → A1", 64500, dates=[("Mon 18 Jan", 10, 7, 0), ("Tue 26 Jan", 10, 2, 0)]),
            _card(
                "Leading an international team", "culture", "Managers", 69000, dates=[("Tue 9 Feb", 12, 12, 0, "Full, waiting list open")]
            ),
            _card("One-to-one career coaching", "dual-career", "English, Dutch", 11500, exempt=False, note="Free times from Thu 3 Dec"),
            _card("First week in Leiden", "welcome", "All levels", 9500, dates=[("Sat 16 Jan", 16, 7, 2)]),
            _card("About the firm", "company", "All levels", 25000, note="A day you choose"),
            _card("Settling in, complete", "package", "All levels", 148000, note="Starts any Monday"),
        ],
    }


@get("/design", opt={"access": "public"})
async def design(request: WebRequest, page: FromQuery[str] = "parts") -> Html:
    """Show the parts; an unknown page shows the first."""
    return pages.render(request, "design/index.html", page=page if page in _PAGES else "parts", **samples())


HANDLERS = [design]
