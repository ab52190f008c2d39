"""The plugins that docs/guide.md shows work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_text import page
from plugins_sample import package, put, resbench


@pytest.mark.long
def test_the_plugins_of_the_guide(tmp_path: Path) -> None:
    section = page("docs/guide.md").partition("\n## Plugins\n")[2].partition("\n## ")[0]
    op, eca, gain, door = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    (toml,) = re.findall(r"^```toml\n(.*?)^```", page("docs/guide.md"), re.DOTALL | re.MULTILINE)
    assert len(op.splitlines()) <= 20
    put(tmp_path, {"my_ops/centre.py": op, "my_ops/eca.py": eca, "my_ops/small_gain.py": gain})
    folder = package(tmp_path / "my_package", {"deep.py": door})
    project = folder / "pyproject.toml"
    project.write_text(project.read_text("utf-8") + toml, "utf-8")
    ops, units = resbench(tmp_path, ["plugins", "check", "my_ops"], ["plugins", "check", "my_package"])
    assert ops.status == 0, ops.out
    assert ops.out.splitlines()[1].startswith("  ok   op centre: centre(by=1.0) of 8x6x5 -> 8x6x5: 8 checks, 0 MACs")
    assert ops.out.splitlines()[2].startswith("  ok   op eca: eca(kernel=3) of 8x6x5 -> 8x6x5: 8 checks, ")
    assert ops.out.splitlines()[3].startswith(
        "  ok   op small_gain: small_gain(init=1e-05) of 8x6x5 -> 8x6x5: 8 checks, claims effect, role gate, effect learned, "
    )
    assert units.status == 0, units.out
    assert re.findall(r"  ok   unit (\w+): ", units.out) == ["deep2", "deep3", "deep4"]
