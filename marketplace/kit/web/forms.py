"""Forms: every field is read by itself, every error is a sentence beside its field, and what was typed stays.

    class NewPerson(msgspec.Struct, frozen=True):
        given_name: forms.Name
        email: forms.Email
        start_on: date | None = None
        departments: list[UUID] = []

    form = await forms.read(request, NewPerson)
    if form.data is None:
        return render(request, "people/person_form.html", status_code=422, form=form)

A blank field is None (and an error where the field has no default), text is trimmed, a list takes every value sent, a
checkbox is a ``bool``. Dates are read as ``2027-01-18`` or ``18-01-2027``, amounts (``Money``) as ``645`` ``645,50`` ``1.935,00``.
Limits come from ``msgspec.Meta``; ``Meta(extra={"sentence": N_("…")})`` gives the field its own sentence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec
from litestar.datastructures import UploadFile

from marketplace.kit.errors import DomainError, Invalid
from marketplace.kit.i18n import N_, _
from marketplace.kit.web import field_types as kinds

if TYPE_CHECKING:
    from marketplace.kit.web.types import WebRequest

T = TypeVar("T", bound=msgspec.Struct)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]
Email = Annotated[
    str,
    msgspec.Meta(
        max_length=254,
        pattern=r"^[^@\s,;<>()\[\]\"]+@[^@\s,;<>()\[\]\"]+\.[^@\s.,;<>()\[\]\"]{2,}$",
        extra={"sentence": N_("Give a whole e-mail address, for example name@company.nl.")},
    ),
]


class Form(msgspec.Struct, Generic[T]):
    """What came in: ``data`` when all of it can be used, else ``errors``; ``values`` as typed, for showing again."""

    data: T | None
    errors: dict[str, str]
    values: dict[str, Any]

    def refuse(self, refusal: DomainError) -> Form[T]:
        """Return this form with a verb's refusal on it: beside its fields, or on top (``errors[""]``)."""
        errors = (dict(refusal.fields) if isinstance(refusal, Invalid) else {}) or {
            "": " ".join(part for part in (refusal.message, refusal.next_step) if part)
        }
        return Form(None, {**self.errors, **errors}, self.values)

    def with_error(self, name: str, sentence: str) -> Form[T]:
        """Return this form with one more error."""
        return Form(None, {**self.errors, name: sentence}, self.values)


class Upload(msgspec.Struct, frozen=True):
    """A file that was sent."""

    name: str
    content: bytes


def blank(**values: Any) -> Form[Any]:  # noqa: ANN401 - whatever the fields show at first
    """Return a form for the first show, filled with ``values``."""
    return Form(None, {}, values)


async def read(request: WebRequest, struct: type[T]) -> Form[T]:
    """Return the posted form as ``struct``, or with a sentence for every field that can't be used."""
    posted = await request.form()
    texts: dict[str, list[str]] = {}
    for name, value in posted.multi_items():
        if isinstance(value, str):
            texts.setdefault(name, []).append(value)
    return convert(texts, struct)


def convert(texts: dict[str, list[str]], struct: type[T]) -> Form[T]:
    """Return fields (each with every value that was sent for it) as ``struct``; what ``read`` does with a request's."""
    hints = get_type_hints(struct, include_extras=True)
    data: dict[str, Any] = {}
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        sent = texts.get(field.encode_name, [])
        many = kinds.is_list(hint)
        values[field.name] = sent if many else (sent[-1] if sent else "")
        try:
            value = kinds.read_list(sent, hint) if many else kinds.read_one(sent[-1] if sent else "", hint)
        except kinds.Unusable as wrong:
            errors[field.name] = wrong.sentence
            continue
        if value is not None:
            data[field.name] = value
        elif not kinds.may_be_missing(field, hint):
            errors[field.name] = _("Fill this in.")
        elif field.required:
            data[field.name] = None
    if errors:
        return Form(None, errors, values)
    return _built(struct, data, values)


def _built(struct: type[T], data: dict[str, Any], values: dict[str, Any]) -> Form[T]:
    try:
        return Form(struct(**data), {}, values)
    except ValueError as wrong:  # a Struct's own __post_init__ may refuse a combination with a finished sentence
        return Form(None, {"": str(wrong)}, values)


async def upload(request: WebRequest, name: str, *, max_bytes: int) -> Upload:
    """Return a file that was sent. Raises ``Invalid`` when there is none or it is larger than ``max_bytes``."""
    sent = (await request.form()).get(name)
    if not isinstance(sent, UploadFile) or not sent.filename:
        sentence = _("Choose a file first.")
        raise Invalid("file_missing", sentence, fields={name: sentence})
    content = await sent.read()
    if len(content) > max_bytes:
        sentence = _("This file is larger than {size} MB. Split it and send the parts.", size=max_bytes // 1_000_000)
        raise Invalid("file_too_large", sentence, fields={name: sentence})
    return Upload(re.sub(r"[^\w.() -]", "_", sent.filename)[-120:], content)
