"""The VAT rules as dated data: read once from ``vat_rules.toml``, or from the file that ``MARKETPLACE_VAT_RULES`` names."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from marketplace.kit.settings import SettingsError, settings

OURS = Path(__file__).with_name("vat_rules.toml")


class VatBasis(StrEnum):
    """What is sold, as the VAT rules tell things apart; the catalogue's words, and some of our own at the end."""

    GENERAL_LANGUAGE = "general_language"
    PROFESSIONAL_COURSE = "professional_course"
    COACHING = "coaching"
    E_LEARNING = "e_learning"
    MATERIAL = "material"
    SERVICE = "service"
    REDUCED = "reduced"
    PLATFORM_FEE = "platform_fee"
    CANCELLATION_FEE = "cancellation_fee"


class Treatment(StrEnum):
    """What a rule says of a basis."""

    EXEMPT = "exempt"
    EXEMPT_IF_REGISTERED = "exempt_if_registered"
    TAXED = "taxed"
    REDUCED = "reduced"
    FOLLOWS_COURSE = "follows_course"


class VatRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds from a day on. ``self_paced`` is for any course that is taken without a teacher; rates are per cent."""

    from_on: date
    standard: Decimal
    reduced: Decimal
    treatments: dict[VatBasis, Treatment]
    self_paced: Treatment
    register_of: Literal["operator", "partner"] = "operator"
    reverse_charge: bool = True
    certificate: Literal["everything", "taxed_only"] = "everything"


class Book(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file: the blocks, oldest first, and the law's sentences by code and language."""

    rules: tuple[VatRules, ...]
    texts: dict[str, dict[str, str]]


def read(content: str, *, name: str) -> Book:
    """Return what a file says, checked whole. Raises ``SettingsError`` with the place that is wrong."""
    try:
        book = msgspec.convert(tomllib.loads(content), Book)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"The VAT rules in {name} can't be read: {error}"
        raise SettingsError(message) from error
    if not book.rules:
        message = f"The VAT rules in {name} have no [[rules]] block."
        raise SettingsError(message)
    for rules in book.rules:
        missing = [basis.value for basis in VatBasis if basis not in rules.treatments]
        if missing:
            message = f"The VAT rules in {name} from {rules.from_on} say nothing of {', '.join(missing)}."
            raise SettingsError(message)
    return msgspec.structs.replace(book, rules=tuple(sorted(book.rules, key=lambda rules: rules.from_on)))


@lru_cache(maxsize=4)
def _kept(path: Path) -> Book:
    return read(path.read_text(encoding="utf-8"), name=path.name)


def book() -> Book:
    """Return the rules of this installation. Raises ``SettingsError``."""
    named = settings().vat_rules
    return _kept(Path(named).expanduser() if named else OURS)


def rules_on(on: date, rules: tuple[VatRules, ...] | None = None) -> VatRules:
    """Return the block that holds on a day; the oldest for days before them all."""
    blocks = book().rules if rules is None else rules
    return max((block for block in blocks if block.from_on <= on), key=lambda block: block.from_on, default=blocks[0])
