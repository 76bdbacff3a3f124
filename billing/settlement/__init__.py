"""Partners' money: contracts, what each seat earns, statements, self-billed invoices, objections and payouts.

From other packages: ``lines.accrue`` when an order stands (``marketplace.orders`` does), the work rows of ``jobs``, and
``transfers`` for what the bank says. Partners and programmes are opaque here: an id and a code.
"""
