"""Which of our numbers a payer wrote, however mangled: ``2026-000012``, ``fact 2026 0000 12``, ``2026/12``, ``RF18 2026000012``. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_GAP = r"[\s\-–./_]?"
_CREDIT = re.compile(rf"(?<![A-Za-z])C{_GAP}(20[2-9]\d){_GAP}(\d{{6}})(?!\d)", re.IGNORECASE)
_WHOLE = re.compile(rf"(?<!\d)(20[2-9]\d){_GAP}(\d{{6}})(?!\d)")
_SHORT = re.compile(r"(?<![\d\-/.])(20[2-9]\d)\s?[-–/]\s?(\d{1,6})(?![\d\-/.]?\d)")
_SQUEEZED = re.compile(r"(?=(20[2-9]\d)(\d{6}))")
_JOINTS = re.compile(r"(?<=\d)[\s\-–./_,;:+&]+(?=\d)")
_RF = re.compile(r"\bRF\d{2}(?=[\s\d])", re.IGNORECASE)


class Mentions(msgspec.Struct, frozen=True):
    """Numbers in the payer's words, as we write them: surely meant, perhaps meant, and credit notes."""

    sure: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()
    credits: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Every invoice number that may be meant: to be looked up."""
        return self.sure | self.perhaps


def read(*texts: str) -> Mentions:
    """Return the numbers in a remittance and its structured references.

    *Sure* is a whole number, with or without its dash. *Perhaps* is a short one (``2026-12``, which may be a month) or one
    that only appears when the blanks between digits are taken out, as banks break lines anywhere.
    """
    sure, perhaps, credits_ = set[str](), set[str](), set[str]()
    for text in texts:
        plain = _RF.sub(" ", text)
        credits_.update(f"C{year}-{number}" for year, number in _CREDIT.findall(plain))
        plain = _CREDIT.sub(" ; ", plain)
        sure.update(f"{year}-{number}" for year, number in _WHOLE.findall(plain))
        rest = _WHOLE.sub(" ; ", plain)
        perhaps.update(_number(year, number) for year, number in _SHORT.findall(rest) if int(number))
        perhaps.update(f"{year}-{number}" for year, number in _SQUEEZED.findall(_JOINTS.sub("", plain)))
    return Mentions(frozenset(sure), frozenset(perhaps - sure), frozenset(credits_))


def _number(year: str, number: str) -> str:
    return f"{year}-{int(number):06d}"


_FORMS = {
    "bv", "nv", "vof", "cv", "stichting", "vereniging", "holding", "nederland", "netherlands", "the", "de", "het", "van", "gemeente", "ltd", "gmbh",
    "inzake", "cooperatie", "ua", "ba", "group", "groep", "international",
}  # fmt: skip


def words_of(name: str) -> frozenset[str]:
    """Return the telling words of a name: lower case, without legal forms."""
    plain = re.sub(r"\b([bnc])\.\s?([va])\.?", r"\1\2", name.lower())
    return frozenset(word for word in re.findall(r"[^\W_]{2,}", plain) if word not in _FORMS)


def same_name(one: str, others: Iterable[str]) -> bool:
    """Tell whether a payer's name is one of these: the telling words of one are all in the other, and at least one is long."""
    given = words_of(one)
    for other in others:
        own = words_of(other)
        shared = given & own
        if shared and (shared in (given, own)) and max(map(len, shared)) >= 4:
            return True
    return False
