"""The packs that bring tools which the toolbox may lack."""

from __future__ import annotations

_TOOLS = {
    "net": "dig nslookup host nmap socat mtr iperf3 tshark conntrack nft ethtool",
    "trace": "gdb perf bpftrace ltrace bpftool",
    "python": "py-spy debugpy",
    "jvm": "jattach",
    "node": "node nodejs",
    "go": "dlv",
    "db": "psql pg_dump pg_isready mariadb mysql redis-cli sqlite3",
}

PACK_OF_TOOL = {tool: pack for pack, tools in _TOOLS.items() for tool in tools.split()}
"""Packs by the names of their tools."""
