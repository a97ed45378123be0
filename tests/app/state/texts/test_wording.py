"""Texts of the command line in the window's words."""

from __future__ import annotations

import pytest

from app.state.texts.wording import without_options


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("open it with --module package.module:function", "open it with app.show(module) in Python"),
        ("say --ignore c,d if it does not", "say \u201cignore\u201d c,d if it does not"),
        ("write --bounds=-1,1", "write \u201cbounds\u201d -1,1"),
        ("latent zeros, by --latent; otherwise", "latent zeros, as chosen; otherwise"),
        ("--input-transform takes 1 number", "\u201cinput transform\u201d takes 1 number"),
        (
            "train it with ReLU, or say --relu-limit to draw its ReLU limit, an approximation",
            "train it with ReLU; its ReLU limit can be drawn, an approximation",
        ),
        (
            "pick a code: splinescope info DECODER.pth --latent codes.pth:0",
            "pick a code: open DECODER.pth and answer with codes.pth:0",
        ),
        ("a minus -1, and 3 - 2", "a minus -1, and 3 - 2"),
    ],
)
def test_options_become_the_names_of_choices(text: str, said: str) -> None:
    assert without_options(text) == said
