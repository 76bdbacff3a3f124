"""The picture of a trace: boxes from the order to the bank, and below to the partner, and the lines between them. Pure.

Lengths are user units of the drawing. A group shows at most ``ROWS`` boxes; what is more is said in a last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from billing.books import chart
from billing.states import NAMES, InvoiceState
from marketplace.kit.i18n import _, fmt_date, fmt_money, n_
from marketplace.kit.money import Money

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from billing.finance.trace import Trace

ROWS = 5
BOX_WIDTH, BOX_HEIGHT, GAP, COLUMN_GAP, HEAD, EDGE = 192, 56, 12, 40, 40, 20


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A box: its title, a second line, where it leads. ``to`` are the keys of the boxes that follow from it."""

    key: str
    title: str
    text: str = ""
    href: str = ""
    to: tuple[str, ...] = ()
    chosen: bool = False


class Box(msgspec.Struct, frozen=True):
    """A node with its place."""

    node: Node
    x: int
    y: int


class Head(msgspec.Struct, frozen=True):
    """The words above a column of boxes."""

    x: int
    y: int
    words: str


class Picture(msgspec.Struct, frozen=True):
    """The drawing: heads, boxes, and lines as SVG paths; ``sentence`` says it aloud."""

    width: int
    height: int
    heads: list[Head]
    boxes: list[Box]
    lines: list[str]
    sentence: str


class Group(msgspec.Struct, frozen=True):
    """Boxes under one head: in which column, in the upper lane (0) or the lower one (1)."""

    column: int
    lane: int
    head: str
    nodes: Sequence[Node]


def draw(groups: Sequence[Group]) -> Picture:
    """Lay out groups of nodes; columns and lanes without any take no room. Lines go from right edges to left edges."""
    shown = [msgspec.structs.replace(group, nodes=_cut(group.nodes)) for group in groups if group.nodes]
    columns = sorted({group.column for group in shown})
    tops = _tops(shown)
    boxes, heads = [], []
    for group in shown:
        x, top = columns.index(group.column) * (BOX_WIDTH + COLUMN_GAP) + EDGE, tops[group.lane]
        heads.append(Head(x, top + HEAD - 10, group.head))
        boxes += [Box(node, x, top + HEAD + row * (BOX_HEIGHT + GAP)) for row, node in enumerate(group.nodes)]
    places = {box.node.key: (box.x, box.y) for box in boxes}
    lines = [_line((box.x, box.y), places[key]) for box in boxes for key in box.node.to if key in places]
    width = len(columns) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP + 2 * EDGE
    sentence = "; ".join(f"{group.head}: {', '.join(f'{node.title} {node.text}'.strip() for node in group.nodes)}" for group in shown)
    return Picture(max(width, 0), tops[2], heads, boxes, lines, sentence)


def _tops(shown: Sequence[Group]) -> tuple[int, int, int]:
    """Return where each lane begins, and where the drawing ends."""
    most = [max((len(group.nodes) for group in shown if group.lane == lane), default=0) for lane in (0, 1)]
    high = [HEAD + rows * (BOX_HEIGHT + GAP) if rows else 0 for rows in most]
    return 0, high[0], sum(high) + GAP


def _cut(nodes: Sequence[Node]) -> list[Node]:
    if len(nodes) <= ROWS:
        return list(nodes)
    more = len(nodes) - ROWS + 1
    return [*nodes[: ROWS - 1], Node(key=f"{nodes[0].key}+", title=n_("and one more", "and {n} more", more))]


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the path between two boxes: a curve that leaves and arrives level; within a column, an arc beside it."""
    x1, y1 = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT // 2
    x2, y2 = end[0], end[1] + BOX_HEIGHT // 2
    if x2 <= x1:
        return f"M{x1} {y1}c18 0 18 {y2 - y1} 0 {y2 - y1}"
    bend = (x2 - x1) // 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def of(found: Trace) -> Picture:
    """Return the picture of a trace: the buyer's money above, the partner's below."""
    return draw(
        (
            Group(0, 0, _("Order"), _orders(found)),
            Group(1, 0, _("Billed item"), _items(found)),
            Group(2, 0, _("Invoice"), _papers(found)),
            Group(3, 0, _("Money"), _money(found)),
            Group(4, 0, _("Bank"), _bank(found)),
            Group(2, 1, _("Partner"), _partner(found)),
            Group(3, 1, _("Payout"), _payouts(found)),
        )
    )


def _orders(found: Trace) -> list[Node]:
    return [
        Node(
            key=f"order:{number}", title=_("Order {number}", number=number), href=f"/orders/{number}",
            to=tuple(str(item.charge_id) for item in found.items if item.order_number == number),
        )
        for number in found.orders
    ]  # fmt: skip


def _items(found: Trace) -> list[Node]:
    by_number = {paper.number: paper.id for paper in found.papers}
    nodes = []
    for item in found.items:
        earned = [one.id for one in found.earned if one.charge_id == item.charge_id]
        billed = [by_number[item.number]] if item.number in by_number else []
        text = f"{fmt_money(item.net)} · {chart.vat_words(item.vat_category, item.vat_rate)}"
        to = tuple(str(one) for one in (*billed, *earned))
        nodes.append(Node(key=str(item.charge_id), title=item.description, text=text, to=to, chosen=item.charge_id == found.start.id))
    return nodes


def _papers(found: Trace) -> list[Node]:
    nodes = []
    for paper in found.papers:
        credit = paper.kind == "credit_note"
        received = [one.id for one in found.payments if one.number == paper.number]
        returned = [one.id for one in found.refunds if one.number == paper.number]
        credits_of = [one.id for one in found.papers if one.credits_id == paper.id]
        state = _("Credit note") if credit else _(NAMES[InvoiceState(paper.state)])
        to = tuple(str(one) for one in (*received, *returned, *credits_of))
        text = f"{fmt_money(-paper.total if credit else paper.total)} · {state}"
        chosen = paper.id == found.start.id
        nodes.append(Node(key=str(paper.id), title=paper.number, text=text, href=f"/invoices/{paper.number}", to=to, chosen=chosen))
    return nodes


def _money(found: Trace) -> list[Node]:
    received = [_moved(found, one.id, one.amount, _("received"), one.received_at) for one in found.payments]
    return [*received, *(_moved(found, one.id, -one.amount, _("paid back"), one.done_at or one.requested_at) for one in found.refunds)]


def _moved(found: Trace, row_id: UUID, amount: Money, words: str, at: datetime) -> Node:
    to = tuple(str(entry.id) for entry in found.bank if row_id in entry.moved_ids)
    text = f"{words} · {fmt_date(at, 'medium')}"
    return Node(key=str(row_id), title=fmt_money(amount), text=text, to=to, chosen=row_id == found.start.id)


def _bank(found: Trace) -> list[Node]:
    return [
        Node(
            key=str(one.id), title=fmt_money(one.amount), text=fmt_date(one.booked_on, "medium"), href=f"/bank-entries/{one.id}",
            chosen=one.id == found.start.id,
        )
        for one in found.bank
    ]  # fmt: skip


def _partner(found: Trace) -> list[Node]:
    known = {one.id: one.number for one in found.statements}
    nodes = []
    for one in found.earned:
        stated = _("not on a statement yet") if one.statement_id is None else known.get(one.statement_id, "")
        to = tuple(str(out.id) for out in found.payouts if out.statement_id == one.statement_id)
        text = f"{fmt_money(one.earned)} · {stated}"
        nodes.append(Node(key=str(one.id), title=one.payee_name, text=text, to=to, chosen=one.id == found.start.id))
    return nodes


def _payouts(found: Trace) -> list[Node]:
    return [
        Node(
            key=str(one.id), title=one.batch_number, text=f"{fmt_money(Money(one.cents))} · {fmt_date(one.pay_on, 'medium')}",
            href=f"/payout-batches/{one.batch_id}", chosen=found.start.id in {one.id, one.batch_id},
        )
        for one in found.payouts
    ]  # fmt: skip
