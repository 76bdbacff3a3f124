"""A stand-in for a Peppol access point: a real little HTTP application beside the Stripe sandbox. Nothing leaves this machine."""
