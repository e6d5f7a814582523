"""The page on one's own articles: `python app.py` (or `qa serve`). Settings come from qa.toml and the environment."""

from __future__ import annotations

import sys

from qa.config import load_config
from qa.errors import QAError

if __name__ == "__main__":
    try:
        from qa.server.running import end_process
        from qa.ui import serve

        serve(load_config())
        end_process()
    except QAError as error:
        sys.exit(f"error: {error}")
