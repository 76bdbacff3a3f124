"""Dunning: reminders once each, holding an invoice back, statutory interest as an option, and when a company may order no more."""
