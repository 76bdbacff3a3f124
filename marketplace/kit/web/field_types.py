"""From one typed text to one value, and a sentence when that can't be: pure, used by ``forms``."""

from __future__ import annotations

import re
import types
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec

from marketplace.kit import clock
from marketplace.kit.i18n import _
from marketplace.kit.money import Money

MAX_TEXT = 10_000
MAX_ITEMS = 500
MAX_INT = 2**31 - 1
MAX_EUROS = Decimal(10_000_000)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_DUTCH_DATE = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_EUROS = re.compile(
    r"(?P<whole>\d+|[1-9]\d{0,2}(?:(?P<mark>[.,])\d{3})(?:(?P=mark)\d{3})*)(?:(?!(?P=mark))[.,](?P<cents>\d{1,2}))?", re.ASCII
)
_EURO_DIGITS = 8
_TRUE = frozenset({"on", "true", "1", "yes"})


class Unusable(Exception):
    """A typed text is not a value of its field."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _plain(hint: Any) -> tuple[Any, list[msgspec.Meta], bool]:  # noqa: ANN401 - a type annotation
    """Return the bare type, its limits, and whether None is allowed."""
    limits: list[msgspec.Meta] = []
    optional = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
            limits += [extra for extra in extras if isinstance(extra, msgspec.Meta)]
        elif get_origin(hint) in {Union, types.UnionType}:
            options = [option for option in get_args(hint) if option is not types.NoneType]
            optional = optional or len(options) < len(get_args(hint))
            if len(options) != 1:
                return hint, limits, optional
            hint = options[0]
        else:
            return hint, limits, optional


def is_list(hint: Any) -> bool:  # noqa: ANN401 - a type annotation
    """Tell whether a field takes several values."""
    return get_origin(_plain(hint)[0]) in {list, tuple, set, frozenset}


def may_be_missing(field: msgspec.structs.FieldInfo, hint: Any) -> bool:  # noqa: ANN401 - a type annotation
    """Tell whether a blank field is all right."""
    return not field.required or _plain(hint)[2]


def read_list(sent: list[str], hint: Any) -> Any:  # noqa: ANN401 - the field's type decides
    """Return every value that was sent, blanks left out."""
    container, limits, _optional = _plain(hint)
    if len(sent) > MAX_ITEMS:
        raise Unusable(_("Choose at most {n}.", n=MAX_ITEMS))
    inner = get_args(container)[0]
    values = [value for value in (read_one(text, inner) for text in sent) if value is not None]
    return _limited(values, container, limits)


def read_one(text: str, hint: Any) -> Any:  # noqa: ANN401 - the field's type decides
    """Return the value of one text, or None when it is blank; raise ``Unusable`` with a sentence."""
    kind, limits, _optional = _plain(hint)
    text = _CONTROL.sub("", text).replace("\r\n", "\n").strip()
    if kind is bool:
        return text.lower() in _TRUE
    if not text:
        return None
    if len(text) > MAX_TEXT:
        raise Unusable(_("Use at most {n} characters.", n=MAX_TEXT))
    reader = _READERS.get(kind)
    if reader is not None:
        return _limited(reader(text), kind, limits)
    return _limited(text, kind, limits)


def _limited(value: Any, kind: Any, limits: list[msgspec.Meta]) -> Any:  # noqa: ANN401 - the field's type decides
    if isinstance(value, Money):
        return value
    hint: Any = kind
    for limit in limits:
        hint = Annotated[hint, limit]
    try:
        return msgspec.convert(value, hint, strict=False)
    except (msgspec.ValidationError, ValueError) as wrong:
        raise Unusable(_own_sentence(limits) or _sentence(str(wrong), kind)) from None


def _own_sentence(limits: list[msgspec.Meta]) -> str | None:
    for limit in limits:
        if limit.extra and "sentence" in limit.extra:
            return _(str(limit.extra["sentence"]))
    return None


def _sentence(problem: str, kind: Any) -> str:  # noqa: ANN401 - a type annotation
    """Say msgspec's complaint in a person's words."""
    number = re.search(r"(<=|>=|<|>) (-?[\d.]+)", problem)
    if "length" in problem and number:
        return _length_sentence(problem, number[1], number[2])
    if number:
        return _bound_sentence(number[1], number[2])
    if kind is UUID or get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _("Choose one of the options.")
    return _("Write this in another way.")


def _length_sentence(problem: str, sign: str, number: str) -> str:
    if "array" in problem:
        return _("Choose at most {n}.", n=number) if sign == "<=" else _("Choose at least {n}.", n=number)
    return _("Use at most {n} characters.", n=number) if sign == "<=" else _("Use at least {n} characters.", n=number)


def _bound_sentence(sign: str, number: str) -> str:
    shown = number.removesuffix(".0")
    sentences = {
        "<=": _("Give {n} at most.", n=shown),
        ">=": _("Give {n} at least.", n=shown),
        "<": _("Give less than {n}.", n=shown),
        ">": _("Give more than {n}.", n=shown),
    }
    return sentences[sign]


def _int(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,12}", text, re.ASCII) or abs(int(text)) > MAX_INT:
        raise Unusable(_("Give a whole number, for example 12."))
    return int(text)


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > MAX_EUROS or len(text) > 20:
        raise Unusable(_("Give a number, for example 12.5."))
    return value


def _money(text: str) -> Money:
    """Read Dutch and English amounts. A mark before three digits divides thousands, and only where thousands can be."""
    found = _EUROS.fullmatch(re.sub(r"[€\s]", "", text))
    if found is None or len(whole := re.sub(r"[.,]", "", found["whole"])) > _EURO_DIGITS:
        raise Unusable(_("Give an amount in euros, for example 645 or 645.50."))
    return Money(int(whole) * 100 + int((found["cents"] or "0").ljust(2, "0")))


def _date(text: str) -> date:
    dutch = _DUTCH_DATE.match(text)
    try:
        found = date(int(dutch[3]), int(dutch[2]), int(dutch[1])) if dutch else date.fromisoformat(text)
    except ValueError:
        raise Unusable(_("Give a date as day-month-year, for example 18-01-2027.")) from None
    if not 1900 <= found.year <= 2200:
        raise Unusable(_("Give a year between 1900 and 2200."))
    return found


def _time(text: str) -> time:
    found = re.fullmatch(r"(\d{1,2})[:.](\d{2})(?::\d{2})?", text, re.ASCII)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise Unusable(_("Give a time, for example 09:30."))
    return time(int(found[1]), int(found[2]))


def _datetime(text: str) -> datetime:
    """Read a wall time in Amsterdam (``datetime-local``) and return the instant in UTC."""
    day, _gap, hour = text.replace("T", " ").partition(" ")
    return clock.instant(_date(day), _time(hour.strip() or "00:00"))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Unusable(_("Choose one of the options.")) from None


_READERS: dict[Any, Any] = {
    int: _int, Decimal: _decimal, Money: _money, date: _date, time: _time, datetime: _datetime, UUID: _uuid,
}  # fmt: skip
