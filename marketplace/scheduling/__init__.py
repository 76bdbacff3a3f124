"""What will be ordered later: an intention with a date, kept apart from the order line that it becomes."""
