"""`plugins:` of a study -> folders. Plugin code is executed, so a study from somebody else may not point to arbitrary folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resbench.escape import printable
from resbench.language.library.lookup import is_folder, shown, workspace
from resbench.language.yaml.node import Node
from resbench.language.yaml.problems import Problems


def plugin_folders(top: Node, folder: Path, allowed: Sequence[Path] = ()) -> list[Path]:
    """Return the plugin folders, relative to the study's `folder`. Each must be below it, below the workspace, or
    `allowed` by the person who runs the study.

    Raise SpecError for any other.
    """
    node = top.mapping.get("plugins")
    check = Problems()
    found: list[Path] = []
    for item in check.sequence(node, "folders") if node is not None else ():
        if not isinstance(item.value, str) or not item.value or "\x00" in item.value:
            check.report(item, f"a folder is needed, got {item.shown()}")
            continue
        path = (folder / item.value).resolve()
        space = workspace()
        roots = [folder.resolve(), *([space.resolve().parent] if space is not None else [])]
        if path not in allowed and not any(path.is_relative_to(root) for root in roots):
            where = " and of ".join(shown(root) for root in roots)
            check.report(
                item,
                f"`{printable(item.value)}` lies outside of {where}: a study may not run code from elsewhere; who runs it "
                f"may, with `--plugins {printable(str(path), 200)}`",
            )
        elif not is_folder(path):
            check.report(item, f"`{printable(item.value)}` is not a folder beside the study")
        found.append(path)
    check.done()
    return found
