"""What is hidden in messages, and what is not: a word that is no secret stays, also where a URL has it."""

from __future__ import annotations

import pytest

from resbench.store.connection.location import locate
from resbench.store.connection.secrets import conceal, secrets_in

HARMLESS = (
    "sslmode=require", "host=grad", "hostaddr=127.0.0.1", "port=5432", "application_name=train", "connect_timeout=1000",
    "sslrootcert=require", "target_session_attrs=grad", "gssencmode=require", "user=train",
)  # fmt: skip


@pytest.mark.parametrize("option", HARMLESS)
def test_words_that_a_harmless_option_has_are_not_hidden(option: str) -> None:
    """Else an error that is stored for good reads `element 0 of tensors does not *** grad`."""
    for url in (f"postgresql://ann:secret@host/x?{option}", f"postgresql://host/x?{option}&sslpassword=secret"):
        text = f"the {option.partition('=')[2]} does not require grad to train"
        assert locate(url).conceal(f"{text} secret") == conceal(f"{text} secret", secrets_in(url)) == f"{text} ***"


@pytest.mark.parametrize(
    "option", ["user=ann:secret", "host=ann:secret@host", "sslmod=secret", "options=secret", "secret"]
)
def test_what_is_not_known_to_be_harmless_is_hidden(option: str) -> None:
    value = option.rpartition("=")[2]
    assert conceal(f"no {value}", secrets_in(f"postgresql://host/x?{option}")) == "no ***"
    if "@" not in option and "=" in option:
        assert locate(f"postgresql://host/x?{option}").conceal(f"no {value}") == "no ***"


@pytest.mark.parametrize(
    ("word", "secrets"),
    [
        ("postgresql://ann:secret@host/x", {"secret"}),
        ("postgres:/ann:se@cret@host/x", {"se@cret"}),
        ("postgresql://host/x?a=1&sslpassword=secret", {"secret"}),
        ("host=h password='se cret'", {"'se cret'", "se cret"}),
        ("ann:secret@host", {"secret"}),
        ("ann@host", set()),
        ("postgres://ann:/secret@host/x", {"/secret"}),
        ("ann:/secret@host/x", {"/secret"}),
        ("postgres:ann:secret@host/x", {"secret"}),
        ("dbname=x password=se&cret", {"se&cret", "se"}),
        ("recipe.lr=0.1", set()),
        ("a@b.db", set()),
    ],
)
def test_secrets_are_found_in_words_that_are_no_urls(word: str, secrets: set[str]) -> None:
    assert set(secrets_in(word)) == secrets


def test_secrets_that_overlap_are_hidden_whole() -> None:
    assert conceal("1 abcdef 2 aaa", ("abcd", "cdef", "aa", "")) == "1 *** 2 ***"
    assert conceal("nothing", ("x",)) == "nothing"
