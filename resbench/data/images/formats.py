"""A file's name -> whether it is read as an image: the raster formats that Pillow decodes by itself, and their suffixes.

Documents, vector graphics and films (PDF, EPS, WMF, MPEG) are excluded: Pillow needs other programs or cannot read them. The
list is fixed, so that a folder holds the same images whatever Pillow was built with; files it cannot decode are reported.
"""

from __future__ import annotations

from pathlib import PurePath

FORMATS = {
    "PNG": (".png", ".apng"), "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "GIF": (".gif",),
    "BMP": (".bmp",), "DIB": (".dib",), "TIFF": (".tif", ".tiff"), "WEBP": (".webp",), "AVIF": (".avif", ".avifs"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "TGA": (".tga", ".icb", ".vda", ".vst"), "PCX": (".pcx",), "SGI": (".sgi", ".rgb", ".rgba", ".bw"), "QOI": (".qoi",),
    "ICO": (".ico",), "DDS": (".dds",), "PSD": (".psd",), "FITS": (".fits", ".fit"),
}  # fmt: skip
"""By the name Pillow gives the format."""
SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)
_LITTER = frozenset({"__MACOSX", "@eaDir", "__pycache__"})  # made by macOS, by Synology for thumbnails, by Python


def is_image(name: str) -> bool:
    """Return whether a file of this name is read as an image.

    >>> is_image("UPPER.JPG"), is_image("notes.txt"), is_image("photo.heic")
    (True, False, False)
    """
    return PurePath(name).suffix.lower() in SUFFIXES


def is_hidden(name: str) -> bool:
    """Return whether a program made it rather than a person: `.ipynb_checkpoints`, `._x.png`, `__MACOSX`.

    >>> is_hidden("._cat.png"), is_hidden("__MACOSX"), is_hidden("cat")
    (True, True, False)
    """
    return name.startswith(".") or name in _LITTER
