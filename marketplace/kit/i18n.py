"""Words and formats in the reader's language: English is the message id, Dutch comes from ``marketplace/locale/nl/*.po``.

The locale is a ContextVar, so pages, mails and documents each render in their own reader's language. Every ``.po`` file
is read once, at first use; nothing is compiled. Instants are always shown in Amsterdam's time.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup

from marketplace.kit import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, time
    from decimal import Decimal

    from marketplace.kit.money import Money

LOCALE_ROOT = Path(__file__).resolve().parents[1] / "locale"
LOCALES = ("en", "nl")
DEFAULT_LOCALE = "en"
NAMES = {"en": "English", "nl": "Nederlands"}
NBSP = "\N{NO-BREAK SPACE}"

DateStyle = Literal["short", "medium", "long", "weekday", "full", "month"]

_babel = {"en": Locale("en", "GB"), "nl": Locale("nl", "NL")}
_current: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)
_symbols = {"EUR": "€", "GBP": "£", "USD": "$"}
_date_patterns = {
    "short": "d MMM",
    "medium": "d MMM y",
    "long": "d MMMM y",
    "weekday": "EEE d MMM",
    "full": "EEEE d MMMM y",
    "month": "LLLL y",
}


def current_locale() -> str:
    """Return the language of the moment, ``en`` or ``nl``."""
    return _current.get()


def supported(tag: str | None) -> str | None:
    """Return our locale for a language tag such as ``nl-BE``, or None when we don't speak it."""
    language = (tag or "").replace("_", "-").partition("-")[0].strip().lower()
    return language if language in LOCALES else None


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Speak this language inside the block; one that we don't speak becomes English."""
    token = _current.set(supported(locale) or DEFAULT_LOCALE)
    try:
        yield
    finally:
        _current.reset(token)


@lru_cache(maxsize=len(LOCALES))
def _words(locale: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((LOCALE_ROOT / locale).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if not message.id or message.fuzzy or not message.string:
                    continue
                if isinstance(message.id, str):
                    found[message.id] = (str(message.string),)
                elif all(message.string):
                    found[message.id[0]] = tuple(message.string)
    return found


def reload() -> None:
    """Forget the words that were read, for tools that have just written a ``.po`` file."""
    _words.cache_clear()


def _fill(text: str, values: dict[str, object]) -> str:
    if not values:
        return text
    if any(hasattr(value, "__html__") for value in values.values()):
        return Markup(text).format(**values)  # noqa: S704 - the sentence is ours; the values are escaped
    return text.format(**values)


def _(sentence: str, /, **values: object) -> str:
    """Return the sentence in the current language, with ``{name}`` filled in.

    Braces are read only when values are given. A value that is ``Markup`` stays markup, and then everything else
    is escaped. A sentence without translation stays English: the words gate finds it.
    """
    known = _words(current_locale()).get(sentence)
    return _fill(known[0] if known else sentence, values)


def n_(one: str, many: str, n: int, /, **values: object) -> str:
    """Return the singular for 1 and the plural otherwise, with ``{n}`` and the other values filled in."""
    forms: Sequence[str] = _words(current_locale()).get(one, ())
    if len(forms) < len((one, many)):
        forms = (one, many)
    return _fill(forms[0] if n == 1 else forms[1], {"n": n, **values})


def N_(sentence: str) -> str:  # noqa: N802 - the usual name of this mark
    """Mark a sentence for translation here; say it later with ``_``."""
    return sentence


def fmt_number(value: float | Decimal, *, places: int | None = None) -> str:
    """Return a number with the language's separators; ``places`` fixes the decimals."""
    pattern = None if places is None else "#,##0" + ("." + "0" * places if places else "")
    return str(format_decimal(value, format=pattern, locale=_babel[current_locale()]))


def fmt_money(amount: Money, *, whole_if_round: bool = False) -> str:
    """Return ``€1,935.00`` or ``€ 1.935,00``; with ``whole_if_round``, ``€645`` or ``€ 645`` for whole euros."""
    whole, cents = divmod(abs(amount.cents), 100)
    dutch = current_locale() == "nl"
    figures = f"{whole:,}".replace(",", ".") if dutch else f"{whole:,}"
    if cents or not whole_if_round:
        figures += f"{',' if dutch else '.'}{cents:02d}"
    sign = "\N{MINUS SIGN}" if amount.cents < 0 else ""
    symbol = _symbols.get(amount.currency, amount.currency + NBSP)
    return f"{symbol}{NBSP}{sign}{figures}" if dutch else f"{sign}{symbol}{figures}"


def fmt_decimal(value: Decimal) -> str:
    """Return a number as a spreadsheet in the reader's language takes it: ``1935.00`` or ``1935,00``."""
    return str(value).replace(".", ",") if current_locale() == "nl" else str(value)


def fmt_date(on: date, style: DateStyle = "medium") -> str:
    """Return a date: short ``18 Jan``, medium ``18 Jan 2027``, long, weekday ``Mon 18 Jan``, full with the day's name, month ``January 2027``."""
    day = clock.local(on).date() if isinstance(on, datetime) else on
    return _date_words(day, style, current_locale())


@lru_cache(maxsize=4096)
def _date_words(day: date, style: str, locale: str) -> str:
    return str(format_date(day, format=_date_patterns[style], locale=_babel[locale]))


def fmt_time(at: datetime | time) -> str:
    """Return ``09:30``; an instant is shown in Amsterdam's time."""
    wall = clock.local(at) if isinstance(at, datetime) else at
    return f"{wall.hour:02d}:{wall.minute:02d}"


def fmt_datetime(instant: datetime, style: DateStyle = "weekday") -> str:
    """Return ``Mon 4 Jan, 09:30`` or ``ma 4 jan 09:30``, in Amsterdam's time."""
    wall = clock.local(instant)
    join = " " if current_locale() == "nl" else ", "
    return f"{fmt_date(wall.date(), style)}{join}{fmt_time(instant)}"


def fmt_range(start: datetime, end: datetime, style: DateStyle = "weekday") -> str:
    """Return ``Mon 4 Jan, 09:30–12:30``; over several days, both ends with their day."""
    if clock.today(start) == clock.today(end):
        return f"{fmt_datetime(start, style)}\N{EN DASH}{fmt_time(end)}"
    return f"{fmt_datetime(start, style)} \N{EN DASH} {fmt_datetime(end, style)}"


def fmt_list(items: Sequence[str]) -> str:
    """Return ``a, b and c`` or ``a, b en c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {_('and')} {items[-1]}"
