"""Pages of the orders package: buying, and cancelling what was bought."""

from marketplace.orders.pages import buying, cancelling

HANDLERS = [*buying.HANDLERS, *cancelling.HANDLERS]
