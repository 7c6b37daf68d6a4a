"""Detection of incomplete bash input, for which Enter starts a new line instead of running it.

Only bash knows for sure. This follows quotes, here-documents, brackets and reserved words closely enough for
interactive use; a mistake costs a line break or an error of bash, and Alt-Enter always runs the line.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\s;&|()<>'\"`$\\#]+")
_HEREDOC = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|\\?([^\s;&|()<>'\"`]+))")
_OPENERS = {"if": "fi", "case": "esac", "for": "done", "while": "done", "until": "done", "select": "done", "{": "}"}
_STARTERS = frozenset({"then", "else", "elif", "do", "if", "while", "until", "!", "{", "time"})
"""Words after which a command starts."""


def is_incomplete(text: str) -> bool:
    """Return whether bash would wait for more lines."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.open: list[str] = []
        """Closing tokens of the open constructs, innermost last."""
        self.starts = True
        """Whether a command starts here, so that a word may be a reserved one."""
        self.joins = False
        """Whether the last token was `|`, `&&` or `||`, which need a command after them."""
        self.heredocs: list[tuple[str, bool]] = []

    def run(self) -> bool:
        while self.position < len(self.text):
            if not self._step():
                return True
        return bool(self.open) or self.joins or bool(self.heredocs)

    def _step(self) -> bool:
        """Consume one token; return False if the text ends inside it."""
        letter = self.text[self.position]
        match letter:
            case "\\":
                self.position += 2
                self._argument()
                return self.position <= len(self.text) and not self.text.endswith("\\\n", 0, self.position + 1)
            case "'":
                return self._past("'", self.position + 1)
            case '"' | "`":
                return self._quoted(letter)
            case "$":
                return self._dollar()
            case "#" if self._word_begins():
                end = self.text.find("\n", self.position)
                self.position = len(self.text) if end < 0 else end
            case "\n":
                self.position += 1
                self.starts = True
                return self._skip_heredocs()
            case "<" if (heredoc := _HEREDOC.match(self.text, self.position)) and not self.text.startswith(
                "<<<", self.position
            ):
                self.heredocs.append(
                    (next(word for word in heredoc.groups()[1:] if word is not None), bool(heredoc[1]))
                )
                self.position = heredoc.end()
            case _:
                self._plain(letter)
        return True

    def _plain(self, letter: str) -> None:
        if self.text.startswith("<<<", self.position):
            self.position += 3
        elif letter.isspace():
            self.position += 1
        elif letter in ";&|()<>":
            self._operator(letter)
        elif word := _WORD.match(self.text, self.position):
            self.position = word.end()
            self._word(word.group())
        else:
            self.position += 1

    def _operator(self, letter: str) -> None:
        double = self.text[self.position : self.position + 2]
        self.position += 2 if double in ("&&", "||", ";;", "|&", ">>", "<<", ">&", "<&", "&>") else 1
        if letter in "<>" or double == "&>":
            return
        if letter == "(":
            self.open.append(")")
        elif letter == ")":
            if self.open and self.open[-1] == ")":
                self.open.pop()
            is_function = self.text[: self.position - 1].rstrip().endswith("(")
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
        return self.position == 0 or self.text[self.position - 1] in " \t\n;&|()"

    def _past(self, closing: str, start: int) -> bool:
        end = self.text.find(closing, start)
        self._argument()
        self.position = len(self.text) if end < 0 else end + 1
        return end >= 0

    def _quoted(self, quote: str) -> bool:
        self._argument()
        self.position += 1
        while self.position < len(self.text):
            letter = self.text[self.position]
            if letter == quote:
                self.position += 1
                return True
            if letter == "$" and quote == '"':
                if not self._dollar():
                    return False
            else:
                self.position += 2 if letter == "\\" else 1
        return False

    def _dollar(self) -> bool:
        self._argument()
        follows = self.text[self.position + 1 : self.position + 2]
        if follows == "'":
            return self._ansi_quoted()
        if follows == "{":
            return self._past("}", self.position + 2)
        if follows == "(":
            inner = _Scan(self.text)
            inner.position = self.position + 2
            inner.open = [")"]
            while inner.open:
                if inner.position >= len(self.text) or not inner._step():
                    return False
            self.position = inner.position
            return True
        self.position += 1
        return True

    def _ansi_quoted(self) -> bool:
        self.position += 2
        while self.position < len(self.text):
            if self.text[self.position] == "'":
                self.position += 1
                return True
            self.position += 2 if self.text[self.position] == "\\" else 1
        return False

    def _skip_heredocs(self) -> bool:
        """Skip the here-documents that start on this line; return False if one isn't closed."""
        while self.heredocs:
            word, strip = self.heredocs[0]
            end = self.text.find("\n", self.position)
            line = self.text[self.position :] if end < 0 else self.text[self.position : end]
            if (line.lstrip("\t") if strip else line) == word:
                self.heredocs.pop(0)
            elif end < 0:
                return False
            self.position = len(self.text) if end < 0 else end + 1
        return True
