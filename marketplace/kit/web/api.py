"""What every JSON API handler uses: lists by cursor, 201 answers, and the types of the wire.

Handlers are mounted under ``/api/v1`` and carry ``opt={"access": "api-company", …}``. Errors are raised as
``DomainError`` and leave as problem+json. Ids are strings, money is ``{"cents": 69500, "currency": "EUR"}``, instants are
RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import HeaderParameter, QueryParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketplace.kit.web.paging import Page

T = TypeVar("T")
R = TypeVar("R")

Cursor = Annotated[str | None, QueryParameter(name="cursor", description="The `next` of the page before this one.", max_length=600)]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Sent again with the same body, the request answers as the first time; with another body it is 409.",
        max_length=200,
    ),
]

EmailText = Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s.,;<>()]{2,}$")]


class ListAnswer(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; ``next`` goes back as ``?cursor=``, null at the end."""

    items: list[T]
    next: str | None


class Created(msgspec.Struct, frozen=True):
    """What a POST made."""

    id: UUID


def list_answer(items: Sequence[T], next_cursor: str | None = None) -> ListAnswer[T]:
    """Return a list as the API answers it."""
    return ListAnswer(list(items), next_cursor)


def page_answer(page: Page[T], show: Callable[[T], R]) -> ListAnswer[R]:
    """Return a page of rows, each turned into what the API shows."""
    return ListAnswer([show(item) for item in page.items], page.next)


def created(content: T, location: str | None = None) -> Response[T]:
    """Return a 201 with what was made and, where it has one, its address."""
    headers: dict[str, Any] = {"Location": location} if location else {}
    return Response(content=content, status_code=201, headers=headers)
