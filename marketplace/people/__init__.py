"""Companies, their members and their staff: who may act for whom, and who can take part.

Importing the package tells identity how an account becomes an actor. It knows the catalogue's partners and billing's
debtors by id only, and nothing of enrolments or orders.
"""

from marketplace.kit import identity
from marketplace.people.members import actor_found_by, actor_of_account

identity.set_actor_loader(actor_of_account, actor_found_by)
