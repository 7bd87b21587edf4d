"""Where voicelip keeps what was downloaded, and what can be made again."""

import os
from pathlib import Path


def home() -> Path:
    """`VOICELIP_HOME`, else the user's cache folder."""
    configured = os.environ.get("VOICELIP_HOME")
    if configured:
        return Path(configured).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("voicelip", appauthor=False)
