"""Imported first by scripts of this folder: what lies in ``tests/helpers`` can be imported after it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
