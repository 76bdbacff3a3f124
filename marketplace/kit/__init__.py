"""What everything stands on. Nothing in here knows a programme, a company or an invoice."""
