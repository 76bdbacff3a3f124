"""Piccolo's view of the comparison's tables; an app of its own, after billing's."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="billing_stripe",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["billing.comparison.tables"], exclude_imported=True),
)
