"""A stand-in for Stripe on this machine: the part of its HTTP API that we use, a payment page, a clock and faults.

It never moves money, refuses live keys and listens on loopback only. The product talks to it exactly as to Stripe:
only base address, key and secret differ.
"""
