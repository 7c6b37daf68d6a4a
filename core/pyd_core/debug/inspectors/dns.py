"""Looking names up as the target would: its hosts file, then its name servers (resolv.conf(5), RFC 1035)."""

from __future__ import annotations

import ipaddress
import secrets
import struct
import time

import msgspec

from pyd_core.debug.access import Access
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import InvalidInput, KernelError, NotFound, PydError
from pyd_core.sanitise import safe

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
_NAMES = {number: name for name, number in TYPES.items()}
_CODES = {0: "ok", 1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented", 5: "refused"}

SILENT = "no answer"
"""The start of the result where no reply came."""
TIMEOUT_S = 2
"""Seconds to wait for a server."""
MAX_RECORDS = 256
MAX_LABELS = 64
_MAX_REPLY_BYTES = 65536


class Resolver(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of `/etc/resolv.conf`."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    options: tuple[str, ...] = ()


class DnsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of an answer."""

    name: str
    type: str
    value: str
    ttl: int
    """Seconds."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The reply of one source."""

    source: str
    """`/etc/hosts`, or a server's address."""
    question: str
    result: str
    """`ok`, `no such name` and so on; `no answer` or what the kernel said where none came."""
    records: tuple[DnsRecord, ...] = ()
    milliseconds: float = 0.0

    @property
    def addresses(self) -> list[str]:
        """The addresses of its records."""
        return [record.value for record in self.records if record.type in ("A", "AAAA")]


def read_resolver(access: Access) -> Resolver:
    """Read the target's resolv.conf; without one there is 127.0.0.1, as the C library has it."""
    try:
        text = access.read_file("/etc/resolv.conf", limit=1 << 16).decode(errors="replace")
    except PydError:
        text = ""
    return parse_resolver(text)


def parse_resolver(text: str) -> Resolver:
    """Read the text of a resolv.conf; of several `search` lines the last counts, of servers the first three."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        key, *values = line.split("#")[0].split(";")[0].split() or [""]
        if key == "nameserver" and values:
            servers.append(values[0])
        elif key in ("search", "domain"):
            search = tuple(values)
        elif key == "options":
            options = tuple(values)
    numbers = [option[6:] for option in options if option.startswith("ndots:") and option[6:].isdigit()]
    ndots = min(int(numbers[-1]), 15) if numbers else 1
    return Resolver(servers=tuple(servers[:3]) or ("127.0.0.1",), search=search, ndots=ndots, options=options)


def read_hosts(access: Access, name: str) -> list[str]:
    """Return the addresses that the target's hosts file has for a name."""
    try:
        text = access.read_file("/etc/hosts", limit=1 << 20).decode(errors="replace")
    except PydError:
        text = ""
    host = name.rstrip(".").lower()
    addresses: list[str] = []
    for line in text.splitlines():
        address, *names = line.split("#")[0].split() or [""]
        if host in (alias.lower() for alias in names) and is_address(address):
            addresses.append(address)
    if not addresses and host == "localhost":
        return ["127.0.0.1", "::1"]
    return addresses


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def addresses(access: Access, host: str) -> list[str]:
    """Return the addresses of a host, as the target's programs would get them.

    Raises:
        NotFound: The name has no address there.
    """
    if is_address(host):
        return [host]
    if known := read_hosts(access, host):
        return known
    replies = look_up(access, host)
    if resolved := [address for reply in replies for address in reply.addresses]:
        return resolved
    results = "; ".join(dict.fromkeys(f"{reply.source}: {reply.result}" for reply in replies)) or "no name server"
    raise NotFound(f"{safe(host)} has no address there: {safe(results)}", reference="no-address")


def candidates(name: str, resolver: Resolver) -> list[str]:
    """Return the full names to try, in order, as the C library does."""
    if name.endswith("."):
        return [name.rstrip(".")]
    searched = [f"{name}.{domain.strip('.')}" for domain in resolver.search if domain.strip(".")]
    return [name, *searched] if name.count(".") >= resolver.ndots else [*searched, name]


def look_up(access: Access, name: str, *, kinds: tuple[str, ...] = ("A", "AAAA")) -> list[Reply]:
    """Ask the target's name servers in turn, as its programs would, until one knows the name or denies it."""
    resolver = read_resolver(access)
    replies: list[Reply] = []
    for question in candidates(name, resolver):
        for server in resolver.servers:
            answers: list[Reply] = []
            for kind in kinds:
                answers.append(ask(access, server, question, kind))
                if answers[-1].result.startswith(SILENT):
                    break  # it wouldn't answer the next question either, after as long a wait
            replies += answers
            if any(reply.records for reply in answers):
                return replies
            if any(reply.result in ("ok", "no such name") for reply in answers):
                break  # it has spoken for all of them
    return replies


def ask(access: Access, server: str, name: str, kind: str) -> Reply:
    """Ask one server one question, from inside the target's network: by UDP, then by TCP.

    A server that stays silent is asked by TCP too: its refusal or answer shows what blocks UDP.
    """
    identity = secrets.randbits(16)
    query = encode_query(name, TYPES[kind], identity)
    began = time.monotonic()
    data, failed = _by_udp(access, server, query), ""
    if data is None or (len(data) > 2 and data[2] & 0x02):  # silence, or a truncated answer
        data, failed = _by_tcp(access, server, query)
    took = (time.monotonic() - began) * 1000
    if data is None:
        return Reply(source=server, question=f"{name} {kind}", result=failed or SILENT, milliseconds=took)
    try:
        result, records = decode_answer(data, identity)
    except (InvalidInput, struct.error, IndexError):
        return Reply(source=server, question=f"{name} {kind}", result="a malformed answer")
    return Reply(source=server, question=f"{name} {kind}", result=result, records=records, milliseconds=took)


def _by_udp(access: Access, server: str, query: bytes) -> bytes | None:
    process = access.start([f"{PREFIX}/bin/nc", "-u", "-w", str(TIMEOUT_S), server, "53"])
    try:
        process.write(query)
        return process.read(_MAX_REPLY_BYTES) or None
    finally:
        process.end()


def _by_tcp(access: Access, server: str, query: bytes) -> tuple[bytes | None, str]:
    try:
        connection = access.connect(server, 53)
    except KernelError as error:
        return None, f"{SILENT} ({KernelError('tcp', error.errno).message.partition(': ')[2].lower()})"
    except PydError as error:
        return None, f"{SILENT} ({error.message})"
    try:
        connection.write(struct.pack(">H", len(query)) + query)
        data = b""
        while len(data) < 2 or len(data) < 2 + struct.unpack_from(">H", data)[0]:
            part = connection.read(_MAX_REPLY_BYTES)
            if not part:
                return None, f"{SILENT} (it hung up)"
            data += part
        return data[2:], ""
    except KernelError:
        return None, SILENT
    finally:
        connection.end()


def encode_query(name: str, kind: int, identity: int) -> bytes:
    """Return a query with recursion desired.

    Raises:
        InvalidInput: No such name can be asked for.
    """
    try:
        labels = [part.encode("idna") if not part.isascii() else part.encode() for part in name.split(".")]
    except UnicodeError as error:
        raise InvalidInput(f"not a name: {safe(name)!r}") from error
    if not all(0 < len(label) < 64 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise InvalidInput(f"not a name: {safe(name)!r}", hint="a part of a name has 1 to 63 letters")
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack(">6H", identity, 0x0100, 1, 0, 0, 0) + question + struct.pack(">2H", kind, 1)


def decode_answer(data: bytes, identity: int) -> tuple[str, tuple[DnsRecord, ...]]:
    """Return the response code of an answer, and the records of its answer section. The data is hostile.

    Raises:
        InvalidInput: It isn't an answer to that query.
    """
    number, flags, questions, answers, _, _ = struct.unpack_from(">6H", data)
    if number != identity or not flags & 0x8000:
        raise InvalidInput("not an answer to the query")
    offset = 12
    for _ in range(min(questions, 4)):
        _, offset = _name(data, offset)
        offset += 4
    records: list[DnsRecord] = []
    for _ in range(min(answers, MAX_RECORDS)):
        owner, offset = _name(data, offset)
        kind, _, ttl, length = struct.unpack_from(">HHIH", data, offset)
        offset += 10
        if offset + length > len(data):
            raise InvalidInput("a truncated answer")
        value = _value(data, offset, length, kind)
        records.append(DnsRecord(name=owner, type=_NAMES.get(kind, str(kind)), value=value, ttl=ttl))
        offset += length
    return _CODES.get(flags & 15, f"code {flags & 15}"), tuple(records)


def _value(data: bytes, offset: int, length: int, kind: int) -> str:
    part = data[offset : offset + length]
    name = _NAMES.get(kind)
    if name == "A" and length == 4:
        value = str(ipaddress.IPv4Address(part))
    elif name == "AAAA" and length == 16:
        value = str(ipaddress.IPv6Address(part))
    elif name in ("CNAME", "NS", "PTR", "SOA"):
        value = _name(data, offset)[0]
    elif name == "MX" and length > 2:
        value = f"{struct.unpack_from('>H', part)[0]} {_name(data, offset + 2)[0]}"
    elif name == "SRV" and length > 6:
        value = f"{' '.join(map(str, struct.unpack_from('>3H', part)))} {_name(data, offset + 6)[0]}"
    elif name == "TXT" and length:
        value = part[1 : 1 + part[0]].decode(errors="replace")
    else:
        value = part[:64].hex()
    return value


def _name(data: bytes, offset: int) -> tuple[str, int]:
    """Read a name; a pointer in it leads to the rest, and a loop of pointers nowhere."""
    labels: list[str] = []
    after = -1
    for _ in range(MAX_LABELS):
        length = data[offset]
        if length & 0xC0 == 0xC0:
            after = offset + 2 if after < 0 else after
            offset = struct.unpack_from(">H", data, offset)[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels) or ".", after if after >= 0 else offset + 1
        else:
            labels.append(data[offset + 1 : offset + 1 + length].decode("ascii", errors="replace"))
            offset += 1 + length
    raise InvalidInput("a name without an end")
