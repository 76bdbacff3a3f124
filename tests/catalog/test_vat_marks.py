"""The VAT mark on a price is the decision that the order's invoice would make."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from billing import seller
from catalog import vat_marks
from catalog.words import VatBasis
from marketplace.kit.identity import SYSTEM
from marketplace.orders import vat_marks as of_orders

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.usefixtures("db")


async def test_a_course_for_a_profession_is_marked_exempt_only_while_the_seller_is_registered(now: datetime) -> None:
    vat_marks.set_vat_marks(of_orders.exempt)
    before = await vat_marks.exempt(now)
    assert VatBasis.GENERAL_LANGUAGE in before
    assert not before & {VatBasis.PROFESSIONAL_COURSE, VatBasis.COACHING, VatBasis.SERVICE}
    await seller.enter_crkbo(date(2026, 1, 1), actor=SYSTEM, now=now)
    after = await vat_marks.exempt(now)
    assert after - before == {VatBasis.PROFESSIONAL_COURSE}
