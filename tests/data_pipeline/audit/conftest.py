import shutil

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; tests that ask for it are marked `chromium`."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium: install the package chromium")
