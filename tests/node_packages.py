"""The packages of tests/node/package.json -> a folder with node_modules, by npm."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PINNED = Path(__file__).parent / "node" / "package.json"
_INSTALL = ("install", "--prefer-offline", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")


def install(folder: Path) -> Path:
    """Fails the test where there is no npm, or where it can reach neither a registry nor packages of its cache."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing: install it (Debian: apt-get install nodejs npm), as .ci/run does")
    shutil.copy(PINNED, folder / "package.json")
    done = subprocess.run(["npm", *_INSTALL], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"npm could not install what {PINNED.name} names; a registry, or npm's cache, is needed:\n{done.stderr}"
        )
    return folder
