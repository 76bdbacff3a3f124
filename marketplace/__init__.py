"""The corporate programme marketplace of Expat Centre Leiden: who acts, and the only place that joins catalogue and money."""

import os

os.environ.setdefault("PICCOLO_CONF", "marketplace.piccolo_conf")

__version__ = "0.2.0"
