from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.constraints import Check

ID = "2026-11-22T11:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "a question that the buyer withdrew"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="fulfilment", description=DESCRIPTION
    )

    manager.drop_constraint(
        table_class_name="Acceptance",
        tablename="acceptance",
        constraint_name="acceptance_state",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Acceptance",
        tablename="acceptance",
        constraint_name="acceptance_states",
        constraint_class=Check,
        params={
            "condition": "state IN ('waiting', 'accepted', 'declined', 'expired', 'withdrawn')"
        },
        schema=None,
    )

    return manager
