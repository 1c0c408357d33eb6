"""The address that a command listens on."""

import socket

import typer

HOST = typer.Option(
    "127.0.0.1",
    "--host",
    help="Address to listen on; 0.0.0.0 lets in any other machine",
)


def check_free(host: str, port: int) -> None:
    """Check that a command can listen there, before it loads anything.

    Raises:
        ValueError: If it cannot. It says why.
    """
    if not host:
        # it would let everyone in
        raise ValueError("The --host is empty; give an address, or leave it out.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ValueError(
                f"Nothing can be served at {host}, port {port} ({error.strerror}). "
                "Choose another --port, or a --host that is an address of this machine."
            ) from error
