"""Piccolo's view of the tables of delivering, and of the access point that stands in for a real one."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="billing_transport",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["billing.transport.tables"], exclude_imported=True),
)
