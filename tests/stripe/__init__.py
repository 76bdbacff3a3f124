"""Stripe, both ends: our sandbox, the gateway with the real library, the inbox."""
