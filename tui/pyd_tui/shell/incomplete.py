"""Whether bash would want more lines, so that Enter begins another instead of running what there is.

Only bash can tell for sure. This follows quotes, here-documents, brackets and reserved words closely enough for what
people type; a mistake costs a line break or a message of bash's, and Alt-Enter always runs the line.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\s;&|()<>'\"`$\\#]+")
_HEREDOC = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|\\?([^\s;&|()<>'\"`]+))")
_OPENERS = {"if": "fi", "case": "esac", "for": "done", "while": "done", "until": "done", "select": "done", "{": "}"}
_STARTERS = frozenset({"then", "else", "elif", "do", "if", "while", "until", "!", "{", "time"})
"""Words after which a command begins."""


def is_incomplete(text: str) -> bool:
    """Whether the text is the beginning of something longer."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.open: list[str] = []
        """What would close the things that are open, the innermost last."""
        self.starts = True
        """Whether a command begins here, and a word can be a reserved one."""
        self.joins = False
        """Whether the last thing was `|`, `&&` or `||`, which want a command."""
        self.heredocs: list[tuple[str, bool]] = []

    def run(self) -> bool:
        while self.place < len(self.text):
            if not self._step():
                return True
        return bool(self.open) or self.joins or bool(self.heredocs)

    def _step(self) -> bool:
        """Take one thing; False when the text ends inside of it."""
        letter = self.text[self.place]
        match letter:
            case "\\":
                self.place += 2
                self._argument()
                return self.place <= len(self.text) and not self.text.endswith("\\\n", 0, self.place + 1)
            case "'":
                return self._past("'", self.place + 1)
            case '"' | "`":
                return self._quoted(letter)
            case "$":
                return self._dollar()
            case "#" if self._word_begins():
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            case "\n":
                self.place += 1
                self.starts = True
                return self._skip_heredocs()
            case "<" if (found := _HEREDOC.match(self.text, self.place)) and not self.text.startswith(
                "<<<", self.place
            ):
                self.heredocs.append((next(word for word in found.groups()[1:] if word is not None), bool(found[1])))
                self.place = found.end()
            case _:
                self._plain(letter)
        return True

    def _plain(self, letter: str) -> None:
        if self.text.startswith("<<<", self.place):
            self.place += 3
        elif letter.isspace():
            self.place += 1
        elif letter in ";&|()<>":
            self._operator(letter)
        elif word := _WORD.match(self.text, self.place):
            self.place = word.end()
            self._word(word.group())
        else:
            self.place += 1

    def _operator(self, letter: str) -> None:
        double = self.text[self.place : self.place + 2]
        self.place += 2 if double in ("&&", "||", ";;", "|&", ">>", "<<", ">&", "<&", "&>") else 1
        if letter in "<>" or double == "&>":
            return
        if letter == "(":
            self.open.append(")")
        elif letter == ")":
            if self.open and self.open[-1] == ")":
                self.open.pop()
            is_function = self.text[: self.place - 1].rstrip().endswith("(")
            self.starts = is_function or "esac" in self.open[-1:]
            self.joins = False
            return
        self.joins = double in ("&&", "||", "|&") or letter == "|"
        self.starts = True

    def _word(self, word: str) -> None:
        reserved = self.starts
        self.joins = False
        if reserved and word in _OPENERS:
            self.open.append(_OPENERS[word])
        elif reserved and self.open and word == self.open[-1]:
            self.open.pop()
        self.starts = reserved and word in _STARTERS

    def _argument(self) -> None:
        self.starts = self.joins = False

    def _word_begins(self) -> bool:
        return self.place == 0 or self.text[self.place - 1] in " \t\n;&|()"

    def _past(self, closing: str, start: int) -> bool:
        end = self.text.find(closing, start)
        self._argument()
        self.place = len(self.text) if end < 0 else end + 1
        return end >= 0

    def _quoted(self, quote: str) -> bool:
        self._argument()
        self.place += 1
        while self.place < len(self.text):
            letter = self.text[self.place]
            if letter == quote:
                self.place += 1
                return True
            if letter == "$" and quote == '"':
                if not self._dollar():
                    return False
            else:
                self.place += 2 if letter == "\\" else 1
        return False

    def _dollar(self) -> bool:
        self._argument()
        follows = self.text[self.place + 1 : self.place + 2]
        if follows == "'":
            return self._ansi_quoted()
        if follows == "{":
            return self._past("}", self.place + 2)
        if follows == "(":
            inner = _Scan(self.text)
            inner.place = self.place + 2
            inner.open = [")"]
            while inner.open:
                if inner.place >= len(self.text) or not inner._step():
                    return False
            self.place = inner.place
            return True
        self.place += 1
        return True

    def _ansi_quoted(self) -> bool:
        self.place += 2
        while self.place < len(self.text):
            if self.text[self.place] == "'":
                self.place += 1
                return True
            self.place += 2 if self.text[self.place] == "\\" else 1
        return False

    def _skip_heredocs(self) -> bool:
        """Go past the here-documents that begin on this line; False when one of them isn't ended."""
        while self.heredocs:
            word, strip = self.heredocs[0]
            end = self.text.find("\n", self.place)
            line = self.text[self.place :] if end < 0 else self.text[self.place : end]
            if (line.lstrip("\t") if strip else line) == word:
                self.heredocs.pop(0)
            elif end < 0:
                return False
            self.place = len(self.text) if end < 0 else end + 1
        return True
