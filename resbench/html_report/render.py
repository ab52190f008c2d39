"""Page -> HTML: one file with its style, its script and its pictures inside; it requests nothing from the network.

Every text passes through `xml_attribute`, which is correct both inside tags and between them. Only resbench's own text is marked
`safe`: the style, the script, and SVG whose texts were escaped when it was drawn. The content security policy of the page forbids
all requests, and any script but that one, by its hash.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from resbench.escape import xml_attribute
from resbench.html_report.build import Page

_PREAMBLE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_INVISIBLE = re.compile(r"<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->", re.DOTALL)
_GROUP_ID = re.compile(r'<g id="[^"]*"')
_SIZE = re.compile(r'(<svg\b[^>]*?) width="([\d.]+)pt" height="([\d.]+)pt"')
_PX = 96 / 72  # of a point


def html(page: Page) -> str:
    here = files("resbench.html_report")
    names = ("page.html.j2", "parts.html.j2", "page.css", "page.js")
    texts = {name: here.joinpath(name).read_text("utf-8") for name in names}
    environment = Environment(
        loader=DictLoader(texts), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_written,
    )  # fmt: skip
    script = texts["page.js"]
    return environment.get_template("page.html.j2").render(
        page=page,
        pictures={kind: inlined(svg, kind) for kind, svg in page.pictures.items()},
        style=texts["page.css"],
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _written(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(xml_attribute(str(value)))


def inlined(svg: str, kind: str) -> str:
    """Return an SVG file of matplotlib's as an element of a page: without the file's preamble, and with unique identifiers.

    Groups have the same names in every picture, and nothing refers to them, so their names are removed; clip paths and markers
    are referred to, and get a prefix.
    """
    text = _GROUP_ID.sub("<g", _INVISIBLE.sub("", _PREAMBLE.sub("", svg, count=1)))
    text = re.sub(r'((?: id=")|(?:href="#)|(?:url\(#))', rf"\g<1>{kind}-", text)
    text = _SIZE.sub(
        lambda m: f'{m[1]} width="{float(m[2]) * _PX:.0f}" height="{float(m[3]) * _PX:.0f}" role="img"', text
    )
    return text.strip()
