"""A line of YAML -> the comment at its end, in which a param's author describes it."""

from __future__ import annotations


def comment_behind(line: str, start: int = 0) -> str:
    """Return the text behind ` #`, not of a `#` inside quotes; empty where there is none, or nothing but a comment.

    `start`: the characters before it belong to a value that ends there.

    >>> comment_behind("  width: 16         # of the first stage")
    'of the first stage'
    >>> comment_behind("  sign: 'a # b'"), comment_behind("  word: it's#5   # don't")
    ('', "don't")
    """
    quote, before = "", line[:start].strip()[-1:]  # the open quote, and the last character that is not a space
    place = start
    while place < len(line):
        sign = line[place]
        if quote:
            if (sign == "\\" and quote == '"') or (sign == quote == "'" and line[place + 1 : place + 2] == "'"):
                place += 1  # what follows ends nothing
            elif sign == quote:
                quote = ""
        elif sign in "'\"" and before in ("", *":[{,-?"):  # inside a word it is an apostrophe
            quote = sign
        elif sign == "#" and before and line[place - 1] in " \t":
            return line[place:].lstrip("#").strip()
        if not sign.isspace():
            before = sign
        place += 1
    return ""
