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
_NO_PAGE = re.compile(r"^/(api|static|livez|readyz)|(\.|/)(csv|pdf)$|/(file|paper|{paper_id:uuid})$|^/finance/ledger/")
"""What is no page: machines' doors and files."""
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
    for actor in ("hr", "ecl"):
        yield Page("/invoices/{name:str}", actor, f"/invoices/{nouns['credit_note']}")
        yield Page("/invoices/{name:str}", actor, f"/invoices/{nouns['part_credited']}")
    yield Page("/invoices/{name:str}", "hr", f"/invoices/{nouns['reminded']}")
    for ref in ("credit_note", "refundable", "statement"):
        yield Page("/finance/trace/{ref:str}", "ecl", f"/finance/trace/{nouns[ref]}")
    yield Page("/finance/ledger", "ecl", "/finance/ledger?account=receivable")
    yield Page("/finance/vat", "ecl", "/finance/vat?box=1e")
    for entry in ("certain_entry", "strange_entry", "done_entry"):
        yield Page("/bank-entries/{entry_id:uuid}", "ecl", f"/bank-entries/{nouns[entry]}")
    yield Page("/invoice-runs/{run_id:uuid}", "ecl", f"/invoice-runs/{nouns['issued_run']}")
    yield Page("/payout-batches/{batch_id:uuid}", "ecl", f"/payout-batches/{nouns['draft_batch']}")
    yield Page("/people/import/{upload_id:uuid}", "hr", f"/people/import/{nouns['upload_id']}?view=problem")
    yield Page("404", "nobody", "/nowhere")


def _noun(path: str, name: str, town: Town) -> str:
    """Return the id for one parameter: by the longest beginning of the path that names it, else by the parameter alone."""
    found = [(len(begin), noun) for (begin, parameter), noun in _NOUNS.items() if parameter == name and path.startswith(begin)]
    return town.nouns[max(found)[1] if found else name]


_NOUNS = {
    ("", "place_id"): "company_id",
    ("/partners", "place_id"): "partner_id",
    ("", "member_id"): "company_member",
    ("/desk", "member_id"): "ecl_member",
    ("/partners", "member_id"): "partner_member",
    ("/invoices", "name"): "invoice",
    ("/invoices", "number"): "invoice",
    ("/invoices/{number:str}/credit", "number"): "part_credited",
    ("/invoices/{number:str}/correct", "number"): "part_credited",
    ("/invoices/{number:str}/refund", "number"): "refundable",
    ("/orders", "line_id"): "order_line",
    ("/partner-statements", "name"): "statement",
    ("/partner-statements", "line_id"): "settlement_line",
    ("/statements", "name"): "statement",
    ("/statements", "line_id"): "statement_line",
    ("/finance/trace", "ref"): "invoice",
    ("/invoice-runs/held", "hold_id"): "held_id",
    ("/acceptance-profiles", "code"): "profile",
    ("/vat-checks", "debtor_id"): "vat_debtor",
    ("", "token"): "invitation_token",
    ("/password", "token"): "reset_token",
}
"""Which of the town's ids stands for a parameter, by the beginning of the path; every other parameter has an id of its own name."""
