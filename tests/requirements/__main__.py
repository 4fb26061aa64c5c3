"""`python -m tests.requirements FILE`: write the page of requirements anew."""

import sys
from pathlib import Path

from tests.requirements.page import page

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
