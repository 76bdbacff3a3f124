"""Every page of the product, from its own route table: the address with ids of our own, and who looks at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar import Litestar

    from tests.browser.town import Town

_ACTORS = {
    "public": ("nobody",), "member": ("hr",), "company": ("hr",), "partner": ("partner",), "ecl": ("ecl",), "company+ecl": ("hr", "ecl"),
}  # fmt: skip
_NO_PAGE = re.compile(r"^/(api|static|livez|readyz)|\.csv$|/csv$")
_PARAMETER = re.compile(r"{(\w+):\w+}")
ALSO_FOR = {"/programmes": ("hr", "partner"), "/programmes/{code:str}": ("hr", "ecl")}
"""Public pages that look different to those who are signed in."""


class Page(msgspec.Struct, frozen=True):
    """One page as one kind of visitor sees it."""

    route: str
    actor: str
    address: str

    def __str__(self) -> str:
        return f"{self.address} as {self.actor}"


def every_page(app: Litestar, town: Town) -> list[Page]:
    """Return every GET page of the route table; a route whose ids nobody has fails here."""
    return [*_of_the_table(app, town), *_with_something_chosen(town)]


def _of_the_table(app: Litestar, town: Town) -> Iterator[Page]:
    for route in sorted(app.routes, key=lambda each: each.path):
        for handler in getattr(route, "route_handlers", ()):
            access = handler.opt.get("access")
            if "GET" not in getattr(handler, "http_methods", ()) or access not in _ACTORS or _NO_PAGE.search(route.path):
                continue
            actors = (*_ACTORS[access], *ALSO_FOR.get(route.path, ()))
            address = _PARAMETER.sub(lambda found, path=route.path: _noun(path, found[1], town), route.path)  # type: ignore[misc]
            yield from (Page(route.path, actor, address) for actor in actors)


def _with_something_chosen(town: Town) -> Iterator[Page]:
    """Pages that need a question, and states that the plain address does not show."""
    nouns = town.nouns
    yield Page("/orders/new", "hr", f"/orders/new?session={nouns['session']}")
    yield Page("/orders/{number:int}", "hr", f"/orders/{nouns['waiting_number']}")
    yield Page("/scheduled-enrolments/new", "hr", f"/scheduled-enrolments/new?programme={nouns['programme_id']}")
    yield Page("/programmes", "nobody", "/programmes?q=nothing+like+it")
    yield Page("/orders", "hr", "/orders?state=declined")
    yield Page("/people/import/{upload_id:uuid}", "hr", f"/people/import/{nouns['upload_id']}?view=problem")
    yield Page("404", "nobody", "/nowhere")


def _noun(path: str, name: str, town: Town) -> str:
    nouns = town.nouns
    if name == "place_id":
        return nouns["partner_id" if path.startswith("/partners") else "company_id"]
    if name == "member_id":
        first = path.split("/")[1]
        return nouns[{"desk": "ecl_member", "partners": "partner_member"}.get(first, "company_member")]
    if name == "name":
        return nouns["invoice"]
    if name == "token":
        return nouns["reset_token" if path.startswith("/password") else "invitation_token"]
    return nouns[name]
