"""Variables: every form of the Dockerfile reference, quotes and escapes, and limits."""

from __future__ import annotations

import pytest

from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.errors import DockerfileError

VALUES = {"str": "foobarbaz", "path": "/a/b/c", "empty": "", "star": "a*b", "w": "x  y"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$str", "foobarbaz"),
        ("${str}!", "foobarbaz!"),
        ("a$strb", "a"),
        ("\\$str", "$str"),
        ("'$str'", "$str"),
        ('"$str"', "foobarbaz"),
        ('"\\$str \\"q\\" \\x"', '$str "q" \\x'),
        ("${unset:-d}", "d"),
        ("${empty:-d}", "d"),
        ("${empty-d}", ""),
        ("${unset-$str}", "foobarbaz"),
        ("${str:+d}", "d"),
        ("${empty:+d}", ""),
        ("${empty+d}", "d"),
        ("${str:?no}", "foobarbaz"),
        ("${str#f*b}", "arbaz"),
        ("${str##f*b}", "az"),
        ("${str%b*}", "foobar"),
        ("${str%%b*}", "foo"),
        ("${str#x}", "foobarbaz"),
        ("${str#?o}", "obarbaz"),
        ("${star#a\\*}", "b"),
        ("${str/ba/fo}", "fooforbaz"),
        ("${str//ba/fo}", "fooforfoz"),
        ("${str//o*r/-}", "f-baz"),
        ("${path//\\//-}", "-a-b-c"),
        ("${str//}", "foobarbaz"),
        ("$", "$"),
        ("$ x", "$ x"),
        ("$1x", "x"),
        ("${unset:-${str:+in}}", "in"),
    ],
)
def test_each_form_gives_what_buildkit_gives(text: str, result: str):
    if text == "${str//}":
        with pytest.raises(DockerfileError, match="missing"):
            expand(text, VALUES)
        return
    assert expand(text, VALUES).text == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${", "missing '}'"),
        ("${}", "bad substitution"),
        ("${a", "unsupported modifier"),
        ("${a:-b", "missing '}'"),
        ("${a/b}", "missing '/' in"),
        ("${a:x}", "unsupported modifier (:x)"),
        ("${a:?gone}", "a: gone"),
        ("${a?}", "a: is not allowed to be unset"),
        ("${empty:?}", "empty: is not allowed to be empty"),
        ("'open", "single-quote"),
        ('"open', "double-quote"),
        ("${str#\\a}", "invalid escape"),
    ],
)
def test_a_malformed_form_is_refused_with_the_reason(text: str, message: str):
    with pytest.raises(DockerfileError) as caught:
        expand(text, VALUES)
    assert message in caught.value.message


def test_words_are_split_after_expansion_outside_quotes():
    assert expand('a $w "$w" b\\ c', VALUES).words == ("a", "x", "y", "x  y", "b c")


def test_names_of_set_and_unset_variables_are_reported():
    expansion = expand("$str $gone ${other:-x}", VALUES)
    assert (set(expansion.matched), set(expansion.unmatched)) == ({"str"}, {"gone"})


def test_unset_variables_and_quotes_can_be_kept():
    rules = ExpansionRules(keep_quotes=True, keep_unset=True)
    assert expand("'a' \"$str\" $gone ${gone:-x}", VALUES, rules).text == "'a' \"foobarbaz\" $gone ${gone:-x}"


def test_a_value_cannot_grow_without_bound():
    with pytest.raises(DockerfileError, match="too long"):
        expand("$a" * 2048, {"a": "x" * 1024})
    with pytest.raises(DockerfileError, match="too deep"):
        expand("${a:-" * 60 + "}" * 60, {})
    with pytest.raises(DockerfileError, match="too long"):
        expand("${a//*x*y*z/}", {"a": "x" * 30_000})
