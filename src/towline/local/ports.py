"""Listening sockets, on this machine's loopback address only."""

from __future__ import annotations

import socket

from towline.errors import LocalStackError

HOST = "127.0.0.1"


def listen(port: int, *, option: str = "--port") -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes any that is free.

    Raises LocalStackError when the port is taken; `option` is how a person chooses another.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        raise LocalStackError(
            f"port {port} on {HOST} cannot be used ({getattr(error, 'strerror', error)}): another program may listen "
            f"there (`lsof -i :{port}` names it). Stop it, or choose another port with {option} N"
        ) from None
    return listener
