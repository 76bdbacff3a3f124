"""Orders: seats, people and money brought together in one transaction. The only road by which a seat is sold."""
