"""A second opinion on our PDFs: Apache PDFBox Preflight, from Debian, over every template.

It knows PDF/A-1b only, so it gets the same pages as that. It needs a JDK and the jars of ``PACKAGES``; without them this is skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from billing.documents import finished
from tests.documents.kinds import EVERY_KIND

PACKAGES = "default-jdk-headless libpdfbox2-java libactivation-java libjaxb-api-java libcommons-io-java"
HOME = Path("/usr/share/java")
JARS = [
    HOME / f"{name}.jar"
    for name in ("pdfbox2", "fontbox2", "xmpbox", "preflight", "commons-logging", "commons-io", "javax.activation", "jaxb-api")
]
CHECKER = Path(__file__).with_name("Preflight.java")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("java") and shutil.which("javac") and all(jar.exists() for jar in JARS)), reason=f"apt-get install -y {PACKAGES}"
    ),
]


def test_pdfbox_preflight_agrees_on_every_template_and_finds_what_is_wrong(tmp_path: Path) -> None:
    press = finished.press()
    made = {f"{at}.pdf": press.elder(make(language=("nl", "en")[at % 2])) for at, make in enumerate(EVERY_KIND.values())}
    made["wrong.pdf"] = press.bare(next(iter(EVERY_KIND.values()))())
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    command = ["java", "-cp", ":".join(map(str, JARS)), str(CHECKER), *(str(tmp_path / name) for name in made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    verdicts = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert verdicts == [f"{name} {'INVALID' if name == 'wrong.pdf' else 'valid'}" for name in made], done.stdout
