from __future__ import annotations

from pyd_core.debug.inspectors.sockets import parse_address, parse_inet, parse_unix

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 4711 1 0000 100 0 0 10 0
   1: 020011AC:A1B2 0A0011AC:1538 01 00000010:00000000 00:00000000 00000000     0        0 4712 1 0000 20 4 30 10 -1
 bad line
"""
UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 20851 /run/app socket
0000000000000000: 00000003 00000000 00000000 0001 03 20852
"""


def test_addresses_are_read_as_the_processor_holds_them():
    assert parse_address("0100007F:1F90") == ("127.0.0.1", 8080)
    assert parse_address("00000000000000000000000001000000:0050") == ("::1", 80)
    assert parse_address("0000000000000000FFFF0000020011AC:0050") == ("172.17.0.2", 80)


def test_listeners_connections_and_queues():
    listener, connection = parse_inet(TCP, "tcp")
    assert (listener.state, listener.local, listener.port, listener.remote) == ("listening", "127.0.0.1", 8080, "")
    assert (listener.receive_queue, listener.inode) == (3, 4711)
    assert (connection.state, connection.remote, connection.remote_port) == ("connected", "172.17.0.10", 5432)
    assert connection.send_queue == 16


def test_unix_sockets_may_have_spaces_in_their_path_or_none():
    listener, nameless = parse_unix(UNIX)
    assert (listener.state, listener.local) == ("listening", "/run/app socket")
    assert (nameless.state, nameless.local) == ("connected", "")
