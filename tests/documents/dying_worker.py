"""A document process that says it is ready and then dies of the first document."""

from __future__ import annotations

import os
import sys

from billing.documents.frames import receive, send

send(sys.stdout.buffer, b"")
receive(sys.stdin.buffer)
os._exit(1)
