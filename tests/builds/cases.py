"""Small build files over every instruction and option, which both engines must turn into the same image.

`BASE` stands for an image with busybox, the user `app` (1000:1001), and files below `/data`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Files = dict[str, "bytes | str"]
"""Contents by path; `-> TARGET` is a symbolic link, a path that ends with a slash an empty directory."""

CONTEXT: Files = {
    "a.txt": "a\n",
    "b.txt": "b\n",
    "c.md": "c\n",
    "run.sh": "#!/bin/sh\necho run\n",
    "dir/one": "1\n",
    "dir/two.txt": "2\n",
    "dir/deep/three": "3\n",
    "dir/link": "-> one",
    "empty/": "",
    "link.txt": "-> a.txt",
    "dirlink": "-> dir",
    "sp ace.txt": "space\n",
}


@dataclass(frozen=True)
class Case:
    """A build."""

    name: str
    dockerfile: str
    options: tuple[str, ...] = ()
    files: Files = field(default_factory=lambda: CONTEXT)
    modes: dict[str, int] = field(default_factory=lambda: {"run.sh": 0o755, "b.txt": 0o640})


def _on_base(name: str, *lines: str, options: tuple[str, ...] = ()) -> Case:
    return Case(name, "\n".join(("FROM BASE", *lines)) + "\n", options)


def _copies() -> list[Case]:
    """Copies of each kind of source to each kind of destination."""
    sources = {
        "file": "a.txt",
        "two": "a.txt b.txt",
        "glob": "*.txt",
        "glob-in-dir": "dir/*",
        "question": "?.txt",
        "class": "[ab].txt",
        "dir": "dir",
        "dir-slash": "dir/",
        "dot": ".",
        "dir-dot": "dir/.",
        "empty": "empty",
        "link": "link.txt",
        "dirlink": "dirlink",
        "deep": "dir/deep/three",
        "absolute": "/a.txt",
        "dots": "dir/../a.txt",
    }
    destinations = {"new-slash": "/new/", "existing": "/data/", "root": "/", "relative": "rel/", "dot": "./"}
    cases = [
        _on_base(f"copy-{source}-{target}", "WORKDIR /work", f"COPY {paths} {destination}")
        for source, paths in sources.items()
        for target, destination in destinations.items()
    ]
    single = ("file", "dir", "link", "dirlink", "empty", "deep")
    cases += [
        _on_base(f"copy-{source}-{target}", f"COPY {sources[source]} {destination}")
        for source in single
        for target, destination in {"name": "/x/y/name", "over-dir": "/data", "beside": "/data/name"}.items()
    ]
    return cases


def _copy_options() -> list[Case]:
    owners = ("app", "app:apps", "1000", "1000:1001", "app:50", "0:0", "12345", ":apps", "app:staff")
    cases = [_on_base(f"chown-{owner.replace(':', '-')}", f"COPY --chown={owner} dir a.txt /o/") for owner in owners]
    modes = ("644", "0755", "4755", "600", "1777")
    cases += [_on_base(f"chmod-{mode}", f"COPY --chmod={mode} a.txt run.sh /m/") for mode in modes]
    cases += [_on_base(f"chmod-dir-{mode}", f"COPY --chmod={mode} dir /m/") for mode in ("755", "700")]
    cases += [_on_base(f"chmod-new-dir-{mode}", f"COPY --chmod={mode} dir /new") for mode in ("700", "644")]
    cases += [
        _on_base("link", "COPY --link a.txt /l/"),
        _on_base("link-dir", "COPY --link dir /l/"),
        _on_base("link-over", "COPY --link a.txt /data/one"),
        _on_base("link-chown", "COPY --link --chown=1000:1001 dir /l/"),
        _on_base("link-then-run", "COPY --link a.txt /l/", "RUN echo x >> /l/a.txt"),
        _on_base("link-twice", "COPY --link a.txt /l/", "COPY --link b.txt /l/"),
        _on_base("heredoc", "COPY <<EOF /h", "hello $BASE", "EOF"),
        _on_base("heredoc-quoted", "COPY <<'EOF' /h", "hello $BASE", "EOF"),
        _on_base("heredoc-two", "COPY <<A <<B /hd/", "one", "A", "two", "B"),
        _on_base("heredoc-dash", "COPY <<-EOF /h", "\t\ttabs", "EOF"),
        _on_base("heredoc-mode", "COPY --chmod=700 --chown=app <<EOF /h", "x", "EOF"),
        _on_base("json", 'COPY ["sp ace.txt", "/with space/"]'),
        _on_base("json-two", 'COPY ["a.txt", "b.txt", "/j/"]'),
        _on_base("onto-file", "COPY a.txt /data/one"),
        _on_base("through-link", "RUN ln -s /data /ln", "COPY a.txt /ln/"),
        _on_base("through-dangling-link", "RUN ln -s /missing /ln", "COPY a.txt /ln/"),
        _on_base("through-link-out", "RUN ln -s ../../../data /ln", "COPY a.txt /ln/x"),
        _on_base("dir-into-existing", "COPY dir /data", "COPY dir /data"),
        _on_base("dir-mode-kept", "RUN mkdir -m 700 /keep", "COPY dir /keep"),
        _on_base("variables", "ENV WHERE=/v", "ARG WHAT=a.txt", "COPY $WHAT ${WHERE}/"),
        _on_base("empty-glob", "COPY a.txt nothing*.x /e/"),
    ]
    return cases


def _stages() -> list[Case]:
    def case(name: str, *lines: str, options: tuple[str, ...] = ()) -> Case:
        return Case(f"stage-{name}", "\n".join(lines) + "\n", options)

    return [
        case("copy", "FROM BASE AS one", "RUN echo 1 > /one", "FROM scratch", "COPY --from=one /one /x"),
        case("number", "FROM BASE", "RUN echo 1 > /one", "FROM BASE", "COPY --from=0 /one /x"),
        case("image", "FROM scratch", "COPY --from=BASE /data /d"),
        case(
            "owner",
            "FROM BASE AS one",
            "RUN install -o app -m 4711 /bin/true /t; chown -R app /data",
            "FROM scratch",
            "COPY --from=one /t /data /x/",
        ),
        case(
            "owner-set",
            "FROM BASE AS one",
            "RUN chown -R app /data",
            "FROM BASE",
            "COPY --from=one --chown=0:0 /data /x",
        ),
        case(
            "hardlinks",
            "FROM BASE AS one",
            "RUN mkdir /h; echo x > /h/a; ln /h/a /h/b; ln /h/a /h/c",
            "FROM scratch",
            "COPY --from=one /h /h",
        ),
        case(
            "symlinks",
            "FROM BASE AS one",
            "RUN mkdir /s; ln -s /data /s/abs; ln -s nowhere /s/bad; ln -s ../data /s/rel",
            "FROM scratch",
            "COPY --from=one /s /s",
        ),
        case("fifo", "FROM BASE AS one", "RUN mkdir /f; mkfifo /f/pipe", "FROM scratch", "COPY --from=one /f /f"),
        case(
            "target",
            "FROM BASE AS one",
            "RUN echo 1 > /one",
            "FROM BASE AS two",
            "RUN echo 2 > /two",
            options=("--target", "one"),
        ),
        case("from-stage", "FROM BASE AS one", "ENV X=1", "RUN echo 1 > /one", "FROM one", "RUN echo $X > /two"),
        case("unneeded-fails", "FROM BASE AS bad", "RUN false", "FROM BASE", "RUN echo ok > /ok"),
        case("scratch", "FROM scratch", "COPY a.txt /"),
        case("arg-from", "ARG IMAGE=BASE", "FROM $IMAGE", "RUN echo 1 > /one"),
        case("case", "FROM BASE AS One", "RUN echo 1 > /one", "FROM scratch", "COPY --from=one /one /"),
        case(
            "glob",
            "FROM BASE AS one",
            "RUN mkdir /g; touch /g/a1 /g/a2 /g/b1",
            "FROM scratch",
            "COPY --from=one /g/a* /x/",
        ),
        case(
            "dir-glob",
            "FROM BASE AS one",
            "RUN mkdir -p /g/x1/d /g/x2/d /g/y/d; touch /g/x1/d/f /g/x2/d/g",
            "FROM scratch",
            "COPY --from=one /g/x*/d /x/",
        ),
        case(
            "parallel",
            "FROM BASE AS a",
            "RUN echo a > /a",
            "FROM BASE AS b",
            "RUN echo b > /b",
            "FROM scratch",
            "COPY --from=a /a /",
            "COPY --from=b /b /",
        ),
        case("context", "FROM scratch", "COPY --from=other /a.txt /x", options=("--build-context", "other=.")),
        case(
            "context-base",
            "FROM replaced",
            "RUN echo 1 > /one",
            options=("--build-context", "replaced=docker-image://BASE"),
        ),
    ]


def _runs() -> list[Case]:
    return [
        _on_base("run", "RUN echo hi > /hi"),
        _on_base("run-json", 'RUN ["/bin/sh", "-c", "echo hi > /hi"]'),
        _on_base("run-nothing", "RUN true"),
        _on_base("run-heredoc", "RUN <<EOF", "echo one > /one", "echo two > /two", "EOF"),
        _on_base("run-heredoc-program", "RUN cat <<EOF > /out", "text $BASE", "EOF"),
        _on_base("run-remove", "RUN rm -r /data"),
        _on_base("run-remove-file", "RUN rm /data/one"),
        _on_base("run-replace-dir", "RUN rm -r /data/sub && mkdir /data/sub && touch /data/sub/new"),
        _on_base("run-dir-to-file", "RUN rm -r /data/sub && touch /data/sub"),
        _on_base("run-file-to-dir", "RUN rm /data/one && mkdir /data/one"),
        _on_base("run-rename-dir", "RUN mv /data /moved"),
        _on_base("run-chmod", "RUN chmod 700 /data"),
        _on_base("run-chown", "RUN chown -R app:apps /data"),
        _on_base("run-setuid", "RUN touch /s && chmod 6755 /s"),
        _on_base("run-links", "RUN ln -s /data/one /sym && ln /data/one /hard"),
        _on_base("run-fifo", "RUN mkfifo /pipe"),
        _on_base("run-device", "RUN mknod /null c 1 3"),
        _on_base("run-empty-dirs", "RUN mkdir -p /e/f/g"),
        _on_base("run-sticky", "RUN mkdir -m 1777 /t"),
        _on_base("run-user", "USER app", "RUN id > /home/app/id || id > /tmp/id"),
        _on_base("run-user-number", "USER 1000:50", "RUN id > /tmp/id"),
        _on_base("run-workdir", "WORKDIR /w/x", "RUN pwd > here"),
        _on_base("run-env", "ENV A=1 B='two words'", "RUN echo $A $B > /env"),
        _on_base("run-arg", "ARG A=default", "RUN echo $A > /arg"),
        _on_base("run-arg-given", "ARG A=default", "RUN echo $A > /arg", options=("--build-arg", "A=given")),
        _on_base("run-environment", "RUN env | sort > /env"),
        _on_base("run-home", "USER app", "RUN echo $HOME > /tmp/home"),
        _on_base("run-shell", 'SHELL ["/bin/sh", "-ec"]', "RUN echo a > /a"),
        _on_base("run-continued", "RUN echo a > /a && \\", "    # comment", "    echo b > /b"),
        _on_base("run-tmpfs", "RUN --mount=type=tmpfs,target=/t touch /t/x && echo done > /done"),
        _on_base("run-cache", "RUN --mount=type=cache,target=/c touch /c/x && echo done > /done"),
        _on_base(
            "run-cache-owner",
            "RUN --mount=type=cache,target=/c,uid=1000,gid=1001,mode=700 stat -c '%u %g %a' /c > /done",
        ),
        _on_base("run-bind", "RUN --mount=target=/ctx cp /ctx/a.txt /copied"),
        _on_base("run-bind-file", "RUN --mount=source=a.txt,target=/in cp /in /copied"),
        _on_base("run-bind-rw", "RUN --mount=target=/ctx,rw touch /ctx/new && ls /ctx > /list"),
        _on_base("run-bind-stage", "RUN --mount=from=BASE,source=/data,target=/in cp -r /in /copied"),
        _on_base("run-bind-in-dir", "RUN --mount=source=dir,target=/data/sub ls /data/sub > /list"),
        _on_base(
            "run-secret-optional", "RUN --mount=type=secret,id=none cat /run/secrets/none 2>/dev/null; echo ok > /ok"
        ),
        _on_base("run-network-none", "RUN --network=none ls /sys/class/net > /net"),
        _on_base("run-hosts", "RUN cat /etc/hosts > /hosts", options=("--add-host", "me:1.2.3.4")),
        _on_base("run-ulimit", "RUN ulimit -n > /limit", options=("--ulimit", "nofile=512:512")),
        _on_base("run-shm", "RUN df -k /dev/shm | tail -1 | awk '{print $2}' > /shm", options=("--shm-size", "128m")),
        _on_base("run-umask", "RUN umask > /umask; touch /f; mkdir /d"),
        _on_base("run-caps", "RUN grep Cap /proc/self/status > /caps"),
        _on_base("run-passwd", "RUN echo new:x:5:5::/:/bin/sh >> /etc/passwd", "USER new", "RUN id -u > /tmp/u"),
        _on_base("run-etc-hosts", "RUN echo x > /etc/hosts2; ls /etc > /list"),
        _on_base("run-whiteout-dir", "RUN mkdir /a && touch /a/1 /a/2", "RUN rm -r /a", "RUN mkdir /a && touch /a/3"),
        _on_base("run-xattr", "RUN touch /x"),
        _on_base("run-many-layers", *(f"RUN echo {number} > /f{number}" for number in range(12))),
        _on_base("run-twice-same", "RUN echo a > /a", "RUN echo a > /a"),
        _on_base("run-hostname", "RUN hostname > /hostname"),
    ]


def _metadata() -> list[Case]:
    lines = {
        "cmd": ["CMD echo hi"],
        "cmd-json": ['CMD ["echo", "hi"]'],
        "cmd-twice": ["CMD one", "CMD two"],
        "entrypoint": ['ENTRYPOINT ["/bin/sh"]'],
        "entrypoint-shell": ["ENTRYPOINT exec sh"],
        "entrypoint-resets-cmd": ['CMD ["x"]', 'ENTRYPOINT ["y"]'],
        "env": ["ENV A=1", "ENV B=$A C=${D:-d} E=${A:+e}"],
        "env-old": ["ENV NAME some value"],
        "env-quotes": ['ENV A=\'single $X\' B="double \\"q\\"" C=a\\ b'],
        "env-substring": ["ENV A=foobar", "ENV B=${A#foo} C=${A%bar} D=${A/o/0} E=${A//o/0}"],
        "env-replace": ["ENV A=1", "ENV A=2"],
        "label": ['LABEL a=1 b="two words"', "LABEL c=$BASE"],
        "label-multi": ["LABEL a=1 \\", "      b=2"],
        "expose": ["EXPOSE 80 443/tcp 53/udp"],
        "expose-range": ["EXPOSE 7000-7002"],
        "volume": ["VOLUME /v1 /v2"],
        "volume-json": ['VOLUME ["/v1"]'],
        "user": ["USER app"],
        "user-group": ["USER app:staff"],
        "workdir": ["WORKDIR /a", "WORKDIR b", "WORKDIR ../c"],
        "workdir-existing": ["WORKDIR /data"],
        "workdir-variable": ["ENV D=/dd", "WORKDIR $D/x"],
        "workdir-owner": ["USER app", "WORKDIR /owned"],
        "shell": ['SHELL ["/bin/sh", "-x", "-c"]', "CMD echo"],
        "stopsignal": ["STOPSIGNAL SIGUSR1"],
        "stopsignal-number": ["STOPSIGNAL 9"],
        "healthcheck": ["HEALTHCHECK CMD true"],
        "healthcheck-options": ['HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --retries=4 CMD ["true"]'],
        "healthcheck-none": ["HEALTHCHECK NONE"],
        "onbuild": ["ONBUILD RUN echo x", "ONBUILD COPY . /app"],
        "maintainer": ["MAINTAINER someone"],
        "arg": ["ARG A", "ARG B=b", "ENV C=$B$A"],
        "arg-platform": ["ARG TARGETARCH", "ARG BUILDPLATFORM", "ENV T=$TARGETARCH B=$BUILDPLATFORM"],
    }
    cases = [_on_base(name, *text) for name, text in lines.items()]
    cases += [
        _on_base("label-option", options=("--label", "x=y")),
        _on_base("arg-env", "ARG A=1", "ENV A=2", "RUN echo $A > /a", options=("--build-arg", "A=3")),
        Case("comments", "# escape=\\\nFROM BASE\n# comment\nENV A=1\n\n"),
        Case("escape", "# escape=`\nFROM BASE\nRUN echo a `\n  b > /a\n"),
        Case("lower", "from BASE\nrun echo a > /a\nenv A=1\n"),
        Case("global-arg", "ARG V=1\nFROM BASE\nARG V\nENV W=$V\n"),
        Case("crlf", "FROM BASE\r\nENV A=1\r\nRUN echo a > /a\r\n"),
    ]
    return cases


def _adds() -> list[Case]:
    return [
        _on_base("add-file", "ADD a.txt /x/"),
        _on_base("add-dir", "ADD dir /x/"),
        _on_base("add-glob", "ADD *.txt /x/"),
        _on_base("add-chown", "ADD --chown=app:apps dir /x/"),
        _on_base("add-chmod", "ADD --chmod=600 a.txt /x/"),
    ]


def _ignored() -> list[Case]:
    patterns = {
        "star": "*.txt\n",
        "dir": "dir\n",
        "except": "*\n!a.txt\n",
        "except-in-dir": "dir\n!dir/one\n",
        "deep": "**/three\n",
        "comment": "# no\n\n  a.txt  \n",
        "slash": "/a.txt\ndir/\n",
    }
    return [
        Case(f"ignore-{name}", "FROM scratch\nCOPY . /\n", files={**CONTEXT, ".dockerignore": text})
        for name, text in patterns.items()
    ]


CASES = [*_copies(), *_copy_options(), *_stages(), *_runs(), *_metadata(), *_adds(), *_ignored()]
