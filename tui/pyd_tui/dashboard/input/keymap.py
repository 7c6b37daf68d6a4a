"""The keys of the dashboard as data, from which bindings, footer and help are built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from textual.binding import BindingType

Scope = Literal[
    "everywhere",
    "move",
    "containers",
    "text",
    "detail",
    "files",
    "file",
    "browse",
    "views",
    "engines",
    "log",
    "line",
    "search",
    "ask",
    "form",
    "help",
    "report",
    "output",
    "document",
    "processes",
    "why",
    "steps",
    "menu",
    "columns",
]

TITLES: dict[Scope, str] = {
    "containers": "Containers",
    "browse": "Other views",
    "views": "Views",
    "engines": "Engines",
    "move": "Navigation",
    "log": "Logs",
    "line": "Log line",
    "search": "Search all logs",
    "text": "Events, inspect, short logs",
    "detail": "Container details",
    "document": "Inspect",
    "processes": "Processes",
    "why": "Why",
    "steps": "Suggested steps",
    "files": "Files",
    "file": "File",
    "ask": "Questions",
    "form": "Forms",
    "help": "Help",
    "report": "Reports",
    "menu": "Menus",
    "columns": "Choice of columns",
    "output": "Command output",
    "everywhere": "Everywhere",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key binding.

    Attributes:
        action: The Textual action.
        keys: Textual's names of the keys.
        shown: The keys as users write them.
        label: One word for the footer; empty keeps the key out of it.
        help: The description on the help screen.
        rank: The rank in a narrow footer; lower ranks stay.
        called: The name in the configuration, where the action doesn't give it.
        swarm: The keys as users write them where the engine manages a swarm, if there are more of them.
        formerly: Former names, which the configuration may still use.
    """

    action: str
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    rank: int = 5
    called: str = ""
    swarm: str = ""
    formerly: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in the configuration: `stop` for `act('stop')`, `images` for `view('images')`."""
        call = _CALL.fullmatch(self.action)
        plain = (call["argument"] or call["action"]) if call is not None else self.action
        return self.called or plain.strip().replace("_", "-")


_CALL = re.compile(r"(?:app\.)?(?P<action>\w+)(?:\('(?P<argument>[^']*)'\)|\(.*\))?")

KEYMAP: dict[Scope, tuple[Key, ...]] = {
    "containers": (
        Key("open", ("enter",), "enter", "open", "details of the container", 3),
        Key("menu", ("full_stop",), ".", "menu", "what can be done to it, with the keys", 2),
        Key("logs", ("l",), "l", "logs", "its log, or the merged logs of all marked", 2),
        Key("project_logs", ("L",), "L", "", "the merged logs of its project"),
        Key("debug", ("D",), "D", "debug", "a debug shell in it, with tools", 1),
        Key("shell", ("e",), "e", "exec", "its own shell", 5),
        Key("why", ("w",), "w", "why", "why it exited, or what is wrong with it", 3),
        Key("toggle_broken", ("exclamation_mark",), "!", "broken", "show only containers with problems", 1),
        Key("inspect", ("i",), "i", "inspect", "the engine's inspect data", 7),
        Key("files", ("F",), "F", "files", "its files", 8),
        Key("stats", ("m",), "m", "", "its resource usage, now and before"),
        Key("act('stop')", ("s",), "s", "stop", "stop it", 4),
        Key("act('restart')", ("r",), "r", "restart", "restart it; start a stopped one", 5),
        Key("act('pause')", ("p",), "p", "", "pause or resume it"),
        Key("act('remove')", ("x",), "x", "remove", "remove it (asks)", 7),
        Key("command('kill ')", ("K",), "K", "", "send it a signal (:kill)"),
        Key("command('rename ')", ("R",), "R", "", "rename it (:rename)"),
        Key("limits", ("U",), "U", "", "change its limits while it runs (:update)"),
        Key("recreate", ("A",), "A", "recreate", "recreate with changes (:undo, :accept)", 9, formerly=("again",)),
        Key("commit", ("C",), "C", "", "commit its files to an image"),
        Key("pull", ("I",), "I", "", "pull its image again (asks)"),
        Key("prune", ("P",), "P", "", "remove stopped containers (lists them and asks)"),
        Key("compose", ("Y",), "Y", "", "its Compose project: up, down … (:compose)"),
        Key("mark", ("space",), "space", "mark", "mark it; actions apply to all marked, ask once", 8),
        Key("mark_range", ("ctrl+@", "v"), "v", "", "mark from the last marked row to here"),
        Key("mark_all", ("asterisk",), "*", "", "mark all shown, or none"),
        Key("filter", ("slash",), "/", "filter", "filter: words, !word, port:80, label:x, net:x", 3),
        Key("toggle_all", ("a",), "a", "all", "show or hide stopped containers", 6),
        Key("next_broken", ("B",), "B", "", "go to the next container with a problem"),
        Key("problem(0)", ("f1",), "F1…F3", "", "why the worst three containers are broken", called="worst"),
        Key("problem(1)", ("f2",), "", "", "", called="second-worst"),
        Key("problem(2)", ("f3",), "", "", "", called="third-worst"),
        Key("sort", ("o",), "o", "sort", "sort by the next column; project groups", 8),
        Key("reverse", ("O",), "O", "", "reverse the order"),
        Key("columns", ("J",), "J", "", "choose the columns, or right-click a heading"),
        Key("scale", ("percent_sign",), "%", "", "CPU percent of one core, or of its limit"),
        Key("app.merge", ("M",), "M", "", "list all engines, or one (:merge)"),
        Key("pane", ("V",), "V", "", "show logs or events in the other pane"),
        Key("layout", ("vertical_line",), "|", "", "the pane below the list, or next to it"),
        Key("demo", ("d",), "d", "", "on an empty engine: start the demo (pyd demo)"),
        Key("switch_focus", ("tab", "shift+tab"), "tab", "", "switch between the list and the pane"),
    ),
    "browse": (
        Key("open", ("enter",), "enter", "open", "details; of an event, the log of that second", 3),
        Key("menu", ("full_stop",), ".", "menu", "what can be done to it, with the keys", 2),
        Key("logs", ("l",), "l", "logs", "logs of a service, a task or a stack", 3),
        Key(
            "files",
            ("F",),
            "F",
            "files",
            "files of a volume, or of an image's layers",
            3,
            formerly=("inspect-layers", "dig"),
        ),
        Key("debug", ("D",), "D", "", "a debug shell in a build's failed step"),
        Key("stats", ("m",), "m", "", "the container's stats at an event"),
        Key("filter", ("slash",), "/", "filter", "filter: all words must match, !word must not", 2),
        Key("sort", ("o",), "o", "", "sort by the next column, or click its heading"),
        Key("reverse", ("O",), "O", "", "reverse the order"),
        Key("columns", ("J",), "J", "", "choose the columns, or right-click a heading"),
        Key("mark", ("space",), "space", "mark", "mark it", 8),
        Key("mark_range", ("ctrl+@", "v"), "v", "", "mark from the last marked row to here"),
        Key("mark_all", ("asterisk",), "*", "", "mark all shown, or none"),
        Key("save", ("ctrl+s",), "^s", "", "save images to a file"),
        Key("pull", ("I",), "I", "", "pull an image again (asks)"),
        Key("remove", ("x",), "x", "remove", "remove it, or all marked (asks)", 5),
        Key("prune", ("P",), "P", "prune", "remove unused objects (lists them and asks)", 4),
        Key("refresh", ("ctrl+r",), "^r", "refresh", "refresh, sizes too", 6, formerly=("renew",)),
        Key("switch_focus", ("tab", "shift+tab"), "tab", "", "switch between the list and the pane below"),
    ),
    "views": (
        Key("view('containers')", ("1",), "1…6", "views", "containers, images, networks, volumes …", 6, swarm="1…0"),
        Key("view('images')", ("2",), "", "", ""),
        Key("view('networks')", ("3",), "", "", ""),
        Key("view('volumes')", ("4",), "", "", ""),
        Key("view('events')", ("5",), "", "", ""),
        Key("view('system')", ("6",), "", "", ""),
        Key("search", ("S",), "S", "search logs", "search the logs of all containers (:search)", 4),
        Key("palette", ("ctrl+p",), "^p", "go to", "go to anything by a few letters of its name", 3),
        Key("command", ("colon",), ":", "command", "a view or a command by name; tab completes", 7),
        Key("view('services')", ("7",), "7…0", "", "of a swarm: services, tasks, nodes, stacks"),
        Key("view('tasks')", ("8",), "", "", ""),
        Key("view('nodes')", ("9",), "", "", ""),
        Key("view('stacks')", ("0",), "", "", ""),
        Key("app.engines", ("E",), "E", "engines", "list the engines, switch to another (:engines)", 9),
        Key("app.engine(1)", ("right_square_bracket",), "[ ]", "", "previous engine, next engine", 5, "next-engine"),
        Key("app.engine(-1)", ("left_square_bracket",), "", "", "", called="previous-engine"),
    ),
    "engines": (Key("open", ("enter",), "enter", "switch", "list its containers; connects if necessary", 1),),
    "move": (
        Key("down", ("j", "down"), "j ↓", "", "down"),
        Key("up", ("k", "up"), "k ↑", "", "up"),
        Key("first", ("g", "home"), "g", "", "to the top"),
        Key("last", ("G", "end"), "G", "", "to the end"),
        Key("half_down", ("ctrl+d", "pagedown"), "^d", "page down", "half a page down", 3),
        Key("half_up", ("ctrl+u", "pageup"), "^u", "page up", "half a page up", 3),
    ),
    "text": (
        Key("find", ("slash",), "/", "find", "find text, without hiding other lines", 2),
        Key("find_next", ("n",), "n N", "", "next match, previous match"),
        Key("find_previous", ("N",), "", "", ""),
        Key("follow", ("f",), "f", "follow", "follow new lines, or stop following", 4),
        Key("times", ("t",), "t", "times", "show or hide the times", 5),
        Key("left", ("left", "h"), "← →", "", "scroll sideways"),
        Key("right", ("right",), "", "", ""),
    ),
    "log": (
        Key("find", ("slash",), "/", "find", "find; highlights every match, k of n", 1),
        Key("find_next(1)", ("n",), "n N", "", "next match, previous match", called="next-match"),
        Key("find_next(-1)", ("N",), "", "", "", called="previous-match"),
        Key("narrow", ("ampersand",), "&", "filter", "keep matches; !x excludes; level>=warn", 2),
        Key("remove_filter", ("backspace",), "⌫", "", "remove last filter", formerly=("unnarrow",)),
        Key("context(1)", ("plus",), "+ -", "context", "more, less context around matches", 6, "more-context"),
        Key("context(-1)", ("minus",), "", "", "", called="less-context"),
        Key("mode", ("ctrl+g",), "^g", "", "regex, ignore case (toggle)"),
        Key("narrow_value", ("equals_sign",), "=", "", "keep lines with a value of this one; tab: next"),
        Key("follow", ("f",), "f", "follow", "follow new lines, or stop following", 4),
        Key("times", ("t",), "t", "times", "show or hide the times", 6),
        Key("wrap", ("W",), "W", "wrap", "wrap long lines", 6),
        Key("columns", ("J",), "J", "raw", "JSON and logfmt parsed, or raw", 6),
        Key("whole", ("enter",), "enter", "line", "show the full line", 4),
        Key("visual", ("v",), "v", "", "select lines from here"),
        Key("mark", ("space",), "space", "", "mark the line"),
        Key("copy", ("c",), "c", "copy", "copy the line, or the selected or marked lines", 3),
        Key("save", ("ctrl+s",), "^s", "", "save all lines shown to a file"),
        Key("window('0')", ("0",), "0…6", "", "read from the end, from the start (1)", 6, called="window-0"),
        Key("window('1')", ("1",), "", "", "", called="window-1"),
        Key("window('2')", ("2",), "2…6", "", "the last 1, 5, 15, 30 minutes, the last hour", called="window-2"),
        Key("window('3')", ("3",), "", "", "", called="window-3"),
        Key("window('4')", ("4",), "", "", "", called="window-4"),
        Key("window('5')", ("5",), "", "", "", called="window-5"),
        Key("window('6')", ("6",), "", "", "", called="window-6"),
        Key("windows", ("comma",), ",", "time", "choose the part: start, end, last minutes", 4),
        Key("previous", ("b",), "b", "", "output before its last start"),
        Key("solo", ("at",), "@", "", "show only this container, or all"),
        Key("mute", ("number_sign",), "#", "", "hide this container"),
        Key("full", ("z",), "z", "", "show only the log, full screen"),
        Key("left", ("left", "h"), "← →", "", "scroll sideways"),
        Key("right", ("right",), "", "", ""),
        Key("debug", ("D",), "D", "", "a debug shell in the line's container"),
    ),
    "ask": (
        Key("answer(True)", ("y",), "y", "yes", "do it", 0, "yes"),
        Key("answer(False)", ("n", "escape", "q"), "n", "no", "cancel", 0, "no"),
    ),
    "menu": (
        Key("next", ("j", "down"), "j ↓", "", "next entry"),
        Key("previous", ("k", "up"), "k ↑", "", "previous entry"),
        Key("accept", ("enter",), "enter", "choose", "run the entry; so does its key", 0),
        Key("cancel", ("escape", "q", "full_stop"), "esc", "close", "close the menu", 0),
    ),
    "columns": (
        Key("toggle_column", ("space",), "space", "show", "show or hide the column", 0, "toggle"),
        Key("accept", ("enter",), "enter", "save", "show these columns and save the choice", 0),
        Key("cancel", ("escape", "q"), "esc", "cancel", "close without a change", 0),
        Key("move(-1)", ("K", "less_than_sign"), "K J", "", "move the column to the left, right", called="left"),
        Key("move(1)", ("J", "greater_than_sign"), "", "", "", called="right"),
        Key("next", ("j", "down"), "j ↓", "", "next column"),
        Key("previous", ("k", "up"), "k ↑", "", "previous column"),
    ),
    "help": (
        Key("search", ("slash",), "/", "search", "show only lines with the words typed", 1),
        Key("app.help", ("question_mark",), "", "", ""),
    ),
    "report": (
        Key("answer(True)", ("r",), "r", "retry", "retry the failed ones", 0, "retry", formerly=("again",)),
        Key("answer(False)", ("escape", "q", "enter"), "esc", "close", "close it", 0, "close"),
    ),
    "output": (
        Key("end", ("ctrl+k",), "^k", "end", "stop the command", 1),
        Key("copy", ("c",), "c", "copy", "copy the line at the top", 5),
    ),
    "form": (
        Key("next", ("tab", "down"), "tab", "next", "next field", 2),
        Key("previous", ("shift+tab", "up"), "", "", ""),
        Key("accept", ("enter",), "enter", "apply", "apply it", 0),
        Key("cancel", ("escape",), "esc", "cancel", "cancel", 0),
    ),
    "search": (
        Key("open", ("enter",), "enter", "open", "open the log at that line", 1),
        Key("ask", ("slash",), "/", "search", "search for something else", 2),
        Key("mode", ("ctrl+g",), "^g", "regex", "regex, ignore case (toggle)", 3),
        Key("end", ("ctrl+k",), "^k", "end", "stop the search; results stay", 4),
    ),
    "line": (Key("copy", ("c",), "c", "copy", "copy it", 1),),
    "detail": (
        Key("tab(1)", ("tab",), "tab", "next", "next tab", 3, "next-tab"),
        Key("tab(-1)", ("shift+tab",), "", "", "", called="previous-tab"),
        Key("go('overview')", ("1",), "1…9 0", "", "the tabs, in order", called="tab-overview"),
        Key("go('logs')", ("2", "l"), "l", "logs", "its log", 5, called="tab-logs"),
        Key("go('stats')", ("3", "m"), "m", "stats", "its resource usage, now and before", 5, "tab-stats"),
        Key("go('why')", ("4", "w"), "w", "why", "why it exited, or what is wrong with it", 2, called="tab-why"),
        Key("go('inspect')", ("5", "i"), "i", "inspect", "the engine's inspect data", 6, called="tab-inspect"),
        Key("go('events')", ("6",), "", "", "", called="tab-events"),
        Key("go('processes')", ("7",), "", "", "", called="tab-processes"),
        Key("go('env')", ("8",), "", "", "", called="tab-env"),
        Key("go('mounts')", ("9",), "", "", "", called="tab-mounts"),
        Key("go('network')", ("0",), "", "", "", called="tab-network"),
        Key("go('files')", ("F",), "F", "files", "its files", 6, "tab-files"),
        Key("zoom(1)", ("plus",), "+ -", "", "a longer, shorter time span in its stats", called="more-time"),
        Key("zoom(-1)", ("minus",), "", "", "", called="less-time"),
        Key("refresh", ("ctrl+r",), "^r", "refresh", "refresh", 7, formerly=("renew",)),
        Key("unmask", ("H",), "H", "", "show or hide secrets"),
        Key("logs", ("z",), "z", "", "its log, full screen"),
        Key("project_logs", ("L",), "L", "", "the merged logs of its project"),
        Key("menu", ("full_stop",), ".", "menu", "what can be done to it, with the keys", 2),
        Key("debug", ("D",), "D", "debug", "a debug shell in it, with tools", 1),
        Key("shell", ("e",), "e", "exec", "its own shell", 4),
        Key("act('stop')", ("s",), "s", "stop", "stop it", 8),
        Key("act('restart')", ("r",), "r", "restart", "restart it; start a stopped one", 8),
        Key("act('pause')", ("p",), "p", "", "pause or resume it"),
        Key("act('remove')", ("x",), "x", "", "remove it (asks)"),
    ),
    "document": (
        Key("fold", ("enter",), "enter", "fold", "fold or unfold the value under the cursor", 1),
        Key("fold_all", ("Z",), "Z", "fold all", "fold all but the top level, or unfold all", 2),
        Key("find", ("slash",), "/", "find", "find; n N next and previous match", 1),
        Key("find_next", ("n",), "", "", ""),
        Key("find_previous", ("N",), "", "", ""),
        Key("copy_path", ("c",), "c", "copy path", "copy the path in jq syntax", 3),
        Key("copy_value", ("y",), "y", "copy value", "copy the value", 4),
        Key("left", ("left", "h"), "← →", "", "scroll sideways"),
        Key("right", ("right",), "", "", ""),
    ),
    "why": (Key("next_steps", ("enter",), "enter", "steps", "take one of the suggested steps", 0),),
    "steps": (
        Key("accept", ("enter",), "enter", "take it", "take the selected step; digits select one", 0),
        Key("copy", ("c", "y"), "c", "copy", "copy its command", 1),
        Key("move(1)", ("j", "down"), "j ↓", "", "down", called="down"),
        Key("move(-1)", ("k", "up"), "k ↑", "", "up", called="up"),
        Key("cancel", ("escape", "q"), "esc", "cancel", "close without a step", 0),
    ),
    "processes": (
        Key("kill", ("K",), "K", "signal", "send the process a signal", 1),
        Key("find", ("slash",), "/", "find", "find; n N next and previous match", 3),
        Key("find_next", ("n",), "", "", ""),
        Key("find_previous", ("N",), "", "", ""),
        Key("left", ("left", "h"), "← →", "", "scroll sideways"),
        Key("right", ("right",), "", "", ""),
    ),
    "files": (
        Key("enter", ("enter",), "enter", "open", "open the directory or the file", 1),
        Key("leave", ("backspace",), "⌫", "up", "go to the parent directory", 2),
        Key("find", ("slash",), "/", "find", "show only names with the text typed", 3),
        Key("left", ("left", "h"), "← →", "", "scroll sideways"),
        Key("right", ("right",), "", "", ""),
        Key("copy_path", ("c",), "c", "", "copy the path", 5),
        Key("download", ("ctrl+s",), "^s", "download", "download it; a directory as a tar", 4),
    ),
    "file": (
        Key("copy_path", ("c",), "c", "copy path", "copy its path", 3),
        Key("download", ("ctrl+s",), "^s", "download", "download it", 2),
    ),
    "everywhere": (
        Key("back", ("escape",), "esc", "", "go back, or clear filters"),
        Key("app.theme", ("T",), "T", "", "next theme: dark, light … (:theme)"),
        Key("app.undo", ("u",), "u", "", "undo the last stop, kill, pause or recreate"),
        Key("app.help", ("question_mark",), "?", "help", "show this help", 0),
        Key("quit", ("q",), "q", "quit", "back; quit at the top (press it twice)", 0),
        Key("app.leave", ("ctrl+c",), "^c", "", "quit from anywhere (press it twice)"),
    ),
}


def lacked(action: str, parameters: tuple[object, ...], lacks: frozenset[str]) -> bool:
    """Return whether a key's action is one that a provider lacks."""
    name = str(parameters[0]).strip() if action in {"act", "command"} and parameters else action
    return name in lacks


def bindings(*scopes: Scope) -> list[BindingType]:
    """Return Textual's bindings of some scopes.

    All have priority: Textual then runs a key's action before it looks at the next key. Otherwise a key travels through
    the widgets first. Of keys typed quickly, the later ones would then reach the previous screen and focus: text typed
    into a filter would act on containers.
    """
    from textual.binding import Binding  # noqa: PLC0415 - checking a configuration needs only the table

    return [
        Binding(",".join(key.keys), key.action, key.help, show=False, priority=True, id=f"{scope}.{key.name}")
        for scope in scopes
        for key in KEYMAP[scope]
    ]
