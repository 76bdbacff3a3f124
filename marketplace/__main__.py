"""``python -m marketplace`` is the command ``marketplace``."""

import sys

from marketplace.cli import main

sys.exit(main())
