"""Piccolo's view of the tables of fulfilment."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="fulfilment",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["marketplace.fulfilment.tables"], exclude_imported=True),
)
