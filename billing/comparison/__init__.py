"""Our books beside Stripe's: what each says of an invoice, where they differ, since when, and how to mend it."""
