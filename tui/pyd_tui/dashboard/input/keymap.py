"""Every key of the dashboard, as data: bindings, footer and help are all made from this table."""

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
]

TITLES: dict[Scope, str] = {
    "containers": "Containers",
    "browse": "Every other view",
    "views": "Views",
    "engines": "Engines",
    "move": "Moving",
    "log": "Logs",
    "line": "One line of a log",
    "search": "Search of all logs",
    "text": "Events, inspect, short logs",
    "detail": "Detail",
    "document": "Inspect",
    "processes": "Processes",
    "files": "Files",
    "file": "One file",
    "ask": "Questions",
    "form": "Forms",
    "help": "Help",
    "report": "Reports",
    "output": "Output of commands",
    "everywhere": "Everywhere",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table.

    Attributes:
        action: The Textual action that it calls.
        keys: Textual's names of the keys that call it.
        shown: The keys as people write them.
        label: One word for the footer; empty keeps it out of there.
        help: What it does, for the help screen.
        rank: Lower ones keep their place in a narrow footer.
        called: What the configuration calls it, where its action doesn't say.
        swarm: The keys as people write them where the engine manages a swarm, if that gives the action more of them.
    """

    action: str
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    rank: int = 5
    called: str = ""
    swarm: str = ""

    @property
    def name(self) -> str:
        """What the configuration calls it: `stop` for `act('stop')`, `images` for `view('images')`."""
        found = _CALL.fullmatch(self.action)
        plain = (found["given"] or found["action"]) if found is not None else self.action
        return self.called or plain.strip().replace("_", "-")


_CALL = re.compile(r"(?:app\.)?(?P<action>\w+)(?:\('(?P<given>[^']*)'\)|\(.*\))?")

KEYMAP: dict[Scope, tuple[Key, ...]] = {
    "containers": (
        Key("open", ("enter",), "enter", "open", "all about the container", 3),
        Key("logs", ("l",), "l", "logs", "its log, or the logs of all marked as one", 2),
        Key("project_logs", ("L",), "L", "", "the logs of its whole project as one"),
        Key("debug", ("D",), "D", "debug", "a shell with tools in it, even without its own", 1),
        Key("shell", ("e",), "e", "exec", "its own shell", 4),
        Key("why", ("w",), "w", "why", "why it died, or what is wrong with it", 3),
        Key("inspect", ("i",), "i", "inspect", "all the engine knows about it", 4),
        Key("act('stop')", ("s",), "s", "stop", "stop it", 5),
        Key("act('restart')", ("r",), "r", "restart", "restart it", 5),
        Key("act('pause')", ("p",), "p", "pause", "pause it, or let it go on", 7),
        Key("act('remove')", ("x",), "x", "remove", "remove it (asks)", 6),
        Key("command('kill ')", ("K",), "K", "", "send it a signal (:kill)"),
        Key("command('rename ')", ("R",), "R", "", "give it another name (:rename)"),
        Key("limits", ("U",), "U", "", "change its limits while it runs (:update)"),
        Key("again", ("A",), "A", "again", "run it again with changes (:undo, :keep)", 7),
        Key("commit", ("C",), "C", "", "make an image of its files"),
        Key("pull", ("P",), "P", "", "pull its image anew"),
        Key("compose", ("O",), "O", "", "its Compose project: up, down … (:compose)"),
        Key("mark", ("space",), "space", "mark", "mark it; actions go to all marked, and ask once", 8),
        Key("mark_range", ("ctrl+@",), "^space", "", "mark all from the last marked one to here"),
        Key("mark_all", ("asterisk",), "*", "", "mark all that are shown, or none"),
        Key("filter", ("slash",), "/", "filter", "filter: all words must match, !word must not", 3),
        Key("toggle_all", ("a",), "a", "all", "all of them, or only the living", 6),
        Key("toggle_broken", ("exclamation_mark",), "!", "broken", "only what somebody should look at", 6),
        Key("sort", ("o",), "o", "sort", "order by the next column; by project: groups", 9),
        Key("scale", ("percent_sign",), "%", "", "processor use of one core, or of all it may use"),
        Key("app.merge", ("M",), "M", "", "all engines in one list, or one (:merge)"),
        Key("pane", ("v",), "v", "", "logs or events in the lower pane", 9),
        Key("demo", ("d",), "d", "", "on an empty engine: start the demo (pyd demo)"),
        Key("switch_focus", ("tab", "shift+tab"), "tab", "", "between the list and the pane below"),
    ),
    "browse": (
        Key("open", ("enter",), "enter", "open", "all about it; of an event, that second's log", 3),
        Key("logs", ("l",), "l", "logs", "logs of a service, a task or a stack", 3),
        Key("dig", ("f",), "f", "", "look into an image: layers and their waste"),
        Key("stats", ("m",), "m", "", "from an event to what its container used then"),
        Key("filter", ("slash",), "/", "filter", "filter: all words must match, !word must not", 2),
        Key("mark", ("space",), "space", "mark", "mark it", 8),
        Key("mark_range", ("ctrl+@",), "^space", "", "mark all from the last marked one to here"),
        Key("mark_all", ("asterisk",), "*", "", "mark all that are shown, or none"),
        Key("save", ("ctrl+s",), "^s", "", "save images to a file"),
        Key("remove", ("x",), "x", "remove", "remove it, or all marked (asks)", 5),
        Key("prune", ("P",), "P", "prune", "remove what nothing uses (lists it and asks)", 4),
        Key("renew", ("ctrl+r",), "^r", "renew", "ask the engine again, and for sizes", 6),
        Key("switch_focus", ("tab", "shift+tab"), "tab", "", "between the list and the pane below"),
    ),
    "views": (
        Key("view('containers')", ("1",), "1…6", "views", "containers, images, networks, volumes …", 4, swarm="1…0"),
        Key("view('images')", ("2",), "", "", ""),
        Key("view('networks')", ("3",), "", "", ""),
        Key("view('volumes')", ("4",), "", "", ""),
        Key("view('events')", ("5",), "", "", ""),
        Key("view('system')", ("6",), "", "", ""),
        Key("command", ("colon",), ":", "", "a view or a command by name; tab completes"),
        Key("palette", ("ctrl+p",), "^p", "", "find anything by a few letters of its name"),
        Key("search", ("S",), "S", "", "search every log, stopped ones' too (:search)"),
        Key("view('services')", ("7",), "7…0", "", "of a swarm: services, tasks, nodes, stacks"),
        Key("view('tasks')", ("8",), "", "", ""),
        Key("view('nodes')", ("9",), "", "", ""),
        Key("view('stacks')", ("0",), "", "", ""),
        Key("app.engines", ("E",), "E", "", "the engines: look at another one (:engines)"),
        Key("app.engine(1)", ("right_square_bracket",), "[ ]", "", "the engine before, the next one", 5, "next-engine"),
        Key("app.engine(-1)", ("left_square_bracket",), "", "", "", called="previous-engine"),
    ),
    "engines": (Key("open", ("enter",), "enter", "look", "look at its containers; connects if need be", 1),),
    "move": (
        Key("down", ("j", "down"), "j ↓", "", "down"),
        Key("up", ("k", "up"), "k ↑", "", "up"),
        Key("first", ("g", "home"), "g", "", "to the top"),
        Key("last", ("G", "end"), "G", "", "to the end"),
        Key("half_down", ("ctrl+d", "pagedown"), "^d", "", "half a page down"),
        Key("half_up", ("ctrl+u", "pageup"), "^u", "", "half a page up"),
    ),
    "text": (
        Key("find", ("slash",), "/", "find", "find, keeping what is around it", 2),
        Key("find_next", ("n",), "n N", "", "next match, previous match"),
        Key("find_previous", ("N",), "", "", ""),
        Key("follow", ("f",), "f", "follow", "follow what comes, or hold still", 4),
        Key("times", ("t",), "t", "times", "show or hide the times", 5),
        Key("left", ("left", "h"), "← →", "", "sideways in long lines"),
        Key("right", ("right",), "", "", ""),
    ),
    "log": (
        Key("find", ("slash",), "/", "find", "find; every match is marked, k of n", 1),
        Key("find_next(1)", ("n",), "n N", "", "next match, previous match", called="next-match"),
        Key("find_next(-1)", ("N",), "", "", "", called="previous-match"),
        Key("narrow", ("ampersand",), "&", "keep", "keep matches; !x leaves out; level>=warn", 2),
        Key("unnarrow", ("backspace",), "⌫", "", "take the last filter away"),
        Key("context(1)", ("plus",), "+ -", "context", "more, less context around what is kept", 6, "more-context"),
        Key("context(-1)", ("minus",), "", "", "", called="less-context"),
        Key("mode", ("ctrl+r",), "^r", "", "text or expression, with case or without"),
        Key("follow", ("s", "F"), "s", "follow", "follow what comes, or hold still", 4),
        Key("times", ("t",), "t", "times", "show or hide the times", 6),
        Key("wrap", ("w",), "w", "wrap", "wrap long lines", 6),
        Key("columns", ("J",), "J", "columns", "JSON and logfmt in columns, or as they are", 5),
        Key("whole", ("enter",), "enter", "line", "the whole line, unfolded", 4),
        Key("visual", ("v",), "v", "", "select lines from here on"),
        Key("mark", ("m",), "m", "", "mark the line"),
        Key("copy", ("c",), "c", "copy", "copy the line, or what is selected or marked", 3),
        Key("save", ("ctrl+s",), "^s", "", "save all lines shown to a file"),
        Key("window('0')", ("0",), "0 1", "", "from the tail, from the head", called="window-0"),
        Key("window('1')", ("1",), "", "", "", called="window-1"),
        Key("window('2')", ("2",), "2…6", "", "the last 1, 5, 15, 30 minutes, the last hour", called="window-2"),
        Key("window('3')", ("3",), "", "", "", called="window-3"),
        Key("window('4')", ("4",), "", "", "", called="window-4"),
        Key("window('5')", ("5",), "", "", "", called="window-5"),
        Key("window('6')", ("6",), "", "", "", called="window-6"),
        Key("previous", ("p",), "p", "", "what it printed before it was started last"),
        Key("solo", ("S",), "S", "", "hear the line's container alone, or all again"),
        Key("mute", ("M",), "M", "", "leave the line's container out"),
        Key("full", ("f",), "f", "", "nothing but the log on the screen"),
        Key("left", ("left", "h"), "← →", "", "sideways in long lines"),
        Key("right", ("right",), "", "", ""),
        Key("debug", ("D",), "D", "", "a shell with tools in the line's container"),
    ),
    "ask": (
        Key("answer(True)", ("y",), "y", "yes", "do it", 0, "yes"),
        Key("answer(False)", ("n", "escape", "q"), "n", "no", "leave it", 0, "no"),
    ),
    "help": (
        Key("search", ("slash",), "/", "search", "only what has the words typed", 1),
        Key("app.help", ("question_mark",), "", "", ""),
    ),
    "report": (
        Key("answer(True)", ("r",), "r", "again", "try the failed ones again", 0, "again"),
        Key("answer(False)", ("escape", "q", "enter"), "esc", "close", "close it", 0, "close"),
    ),
    "output": (
        Key("end", ("ctrl+k",), "^k", "end", "end the command", 1),
        Key("copy", ("c",), "c", "copy", "copy the line at the top", 5),
    ),
    "form": (
        Key("next", ("tab", "down"), "tab", "next", "next field", 2),
        Key("previous", ("shift+tab", "up"), "", "", ""),
        Key("accept", ("enter",), "enter", "do it", "do it", 0),
        Key("cancel", ("escape",), "esc", "leave it", "leave it as it is", 0),
    ),
    "search": (
        Key("open", ("enter",), "enter", "open", "the log at that line", 1),
        Key("ask", ("slash",), "/", "search", "look for something else", 2),
        Key("mode", ("ctrl+r",), "^r", "mode", "text or expression, with case or without", 3),
        Key("end", ("ctrl+k",), "^k", "end", "end the search; what was found stays", 4),
    ),
    "line": (Key("copy", ("c",), "c", "copy", "copy it", 1),),
    "detail": (
        Key("tab(1)", ("tab",), "tab", "next", "next tab", 3, "next-tab"),
        Key("tab(-1)", ("shift+tab",), "", "", "", called="previous-tab"),
        Key("go('overview')", ("1",), "1…9 0", "", "the tabs, in their order", called="tab-overview"),
        Key("go('logs')", ("2", "l"), "l", "logs", "its log", 5, called="tab-logs"),
        Key("go('stats')", ("3", "m"), "m", "stats", "what it uses and has used", 5, "tab-stats"),
        Key("go('why')", ("4", "w"), "w", "why", "why it died, or what is wrong with it", 2, called="tab-why"),
        Key("go('inspect')", ("5", "i"), "i", "inspect", "all the engine knows about it", 6, called="tab-inspect"),
        Key("go('events')", ("6",), "", "", "", called="tab-events"),
        Key("go('processes')", ("7",), "", "", "", called="tab-processes"),
        Key("go('env')", ("8",), "", "", "", called="tab-env"),
        Key("go('mounts')", ("9",), "", "", "", called="tab-mounts"),
        Key("go('network')", ("0",), "", "", "", called="tab-network"),
        Key("go('files')", ("F",), "F", "files", "its files", 6, "tab-files"),
        Key("zoom(1)", ("plus",), "+ -", "", "more, less time in the curves of its stats", called="more-time"),
        Key("zoom(-1)", ("minus",), "", "", "", called="less-time"),
        Key("renew", ("ctrl+r",), "^r", "renew", "ask the engine again", 7),
        Key("unmask", ("u",), "u", "", "show secrets in the environment, or mask them"),
        Key("logs", ("L",), "L", "", "its log, on the whole screen"),
        Key("debug", ("D",), "D", "debug", "a shell with tools in it", 1),
        Key("shell", ("e",), "e", "exec", "its own shell", 4),
        Key("act('stop')", ("s",), "s", "stop", "stop it", 8),
        Key("act('restart')", ("r",), "r", "restart", "restart it", 8),
        Key("act('pause')", ("p",), "p", "", "pause it, or let it go on"),
        Key("act('remove')", ("x",), "x", "", "remove it (asks)"),
    ),
    "document": (
        Key("fold", ("enter",), "enter", "fold", "fold or unfold what is under the cursor", 1),
        Key("fold_all", ("z",), "z", "all", "fold all but the top, or unfold", 2),
        Key("find", ("slash",), "/", "find", "find; n N next and previous match", 1),
        Key("find_next", ("n",), "", "", ""),
        Key("find_previous", ("N",), "", "", ""),
        Key("copy_path", ("c",), "c", "copy path", "copy the path, as jq takes it", 3),
        Key("copy_value", ("y",), "y", "value", "copy what is there", 4),
        Key("left", ("left", "h"), "← →", "", "sideways in long lines"),
        Key("right", ("right",), "", "", ""),
    ),
    "processes": (
        Key("kill", ("K",), "K", "signal", "send the process a signal", 1),
        Key("find", ("slash",), "/", "find", "find; n N next and previous match", 3),
        Key("find_next", ("n",), "", "", ""),
        Key("find_previous", ("N",), "", "", ""),
        Key("left", ("left", "h"), "← →", "", "sideways in long lines"),
        Key("right", ("right",), "", "", ""),
    ),
    "files": (
        Key("enter", ("enter",), "enter", "open", "open the directory, show the file", 1),
        Key("leave", ("backspace", "left", "h"), "⌫ ←", "up", "the directory above", 2),
        Key("find", ("slash",), "/", "find", "only names with the text typed", 3),
        Key("left", ("less_than_sign",), "< >", "", "sideways in long names"),
        Key("right", ("greater_than_sign",), "", "", ""),
        Key("copy_path", ("c",), "c", "", "copy the path", 5),
        Key("download", ("ctrl+s",), "^s", "download", "to this machine; a directory as a tar", 4),
    ),
    "file": (
        Key("copy_path", ("c",), "c", "copy path", "copy its path", 3),
        Key("download", ("ctrl+s",), "^s", "download", "to this machine", 2),
    ),
    "everywhere": (
        Key("back", ("escape",), "esc", "", "back, and out of filters"),
        Key("app.theme", ("T",), "T", "", "the next theme: dark, light … (:theme)"),
        Key("app.help", ("question_mark",), "?", "help", "this", 0),
        Key("quit", ("q",), "q", "quit", "back, and at last out", 0),
        Key("app.leave", ("ctrl+c",), "^c", "", "out, from anywhere"),
    ),
}


def bindings(*scopes: Scope) -> list[BindingType]:
    """Makes Textual's bindings of some scopes.

    All have priority: Textual then does what a key means before it looks at the next one. Otherwise a key travels
    through the widgets first, and of keys typed quickly the later ones would still meet the screen and the focus of
    before: what is typed into a filter would act on containers.
    """
    from textual.binding import Binding  # noqa: PLC0415 - who checks a configuration needs the table alone

    return [
        Binding(",".join(key.keys), key.action, key.help, show=False, priority=True, id=f"{scope}.{key.name}")
        for scope in scopes
        for key in KEYMAP[scope]
    ]
