from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from marketplace.kit.ids import new_id
from piccolo.columns.base import OnDelete
from piccolo.columns.base import OnUpdate
from piccolo.columns.column_types import BigInt
from piccolo.columns.column_types import ForeignKey
from piccolo.columns.column_types import Text
from piccolo.columns.column_types import UUID
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check
from piccolo.table import Table


class Charge(Table, tablename="charge", schema=None):
    id = UUID(
        default=new_id,
        null=False,
        primary_key=True,
        unique=False,
        index=False,
        index_method=IndexMethod.btree,
        choices=None,
        db_column_name=None,
        secret=False,
    )


ID = "2026-11-22T11:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "cancelled lines: for whom, why and at what fee"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="orders", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="OrderLine",
        tablename="order_line",
        column_name="cancel_reason",
        db_column_name="cancel_reason",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="OrderLine",
        tablename="order_line",
        column_name="cancelled_for",
        db_column_name="cancelled_for",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="OrderLine",
        tablename="order_line",
        column_name="fee_cents",
        db_column_name="fee_cents",
        column_class_name="BigInt",
        column_class=BigInt,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="OrderLine",
        tablename="order_line",
        column_name="fee_charge_id",
        db_column_name="fee_charge_id",
        column_class_name="ForeignKey",
        column_class=ForeignKey,
        params={
            "references": Charge,
            "on_delete": OnDelete.restrict,
            "on_update": OnUpdate.cascade,
            "target_column": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": True,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.drop_constraint(
        table_class_name="Order",
        tablename="placed_order",
        constraint_name="placed_order_state",
        schema=None,
    )

    manager.drop_constraint(
        table_class_name="OrderLine",
        tablename="order_line",
        constraint_name="order_line_state",
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Order",
        tablename="placed_order",
        constraint_name="placed_order_states",
        constraint_class=Check,
        params={
            "condition": "state IN ('placed', 'confirmed', 'declined', 'cancelled')"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="OrderLine",
        tablename="order_line",
        constraint_name="order_line_cancelled",
        constraint_class=Check,
        params={
            "condition": "(state = 'cancelled') = (cancelled_for IS NOT NULL AND fee_cents IS NOT NULL)"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="OrderLine",
        tablename="order_line",
        constraint_name="order_line_cancelled_for",
        constraint_class=Check,
        params={"condition": "cancelled_for IN ('buyer', 'operator', 'session')"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="OrderLine",
        tablename="order_line",
        constraint_name="order_line_fee",
        constraint_class=Check,
        params={"condition": "fee_cents BETWEEN 0 AND price_cents"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="OrderLine",
        tablename="order_line",
        constraint_name="order_line_states",
        constraint_class=Check,
        params={
            "condition": "state IN ('awaiting_partner', 'accepted', 'declined', 'cancelled')"
        },
        schema=None,
    )

    return manager
