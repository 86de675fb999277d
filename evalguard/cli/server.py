"""`evalguard server`: the language server, for editors."""

from __future__ import annotations

import logging
import os
import sys

import click

from evalguard.cli.configuration import HELP, examples
from evalguard.cli.output import CannotBeDone, warn_of_a_path_named

MISSING = 'the server needs more: python -m pip install "torch-evalguard[lsp]"'


@click.command(context_settings=HELP, epilog=examples("evalguard server", "evalguard server --tcp 127.0.0.1:2087"))
@click.option("--tcp", "address", metavar="HOST:PORT", help="Wait for one editor there, instead of standard input.")
@click.option("-v", "--verbose", is_flag=True, help="Tell on standard error what is done.")
def server(address: str | None, verbose: bool) -> int:
    """Serve an editor, by the Language Server Protocol.

    The editor starts it, and speaks to it on standard input and output. It shows findings, fixes and modes in texts
    that are not saved yet, and never runs or imports their code.

    Exit status: 0 ended by the editor, 2 wrong usage or an internal error.
    """
    warn_of_a_path_named("server")
    host, port = _split(address) if address is not None else ("", 0)
    try:
        from evalguard.lsp.process import search_path

        sys.path[:] = search_path(sys.path, None)
        from evalguard.lsp.server import serve, serve_tcp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise CannotBeDone(MISSING) from error
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("evalguard").setLevel(logging.INFO if verbose else logging.WARNING)
    if address is not None:
        try:
            serve_tcp(host, port)
        except OSError as error:
            raise CannotBeDone(f"--tcp {address}: {error.strerror or error}") from error
        return 0
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever anybody prints is no answer
    serve(sys.stdin.buffer, answers)
    return 0


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"--tcp wants HOST:PORT, such as 127.0.0.1:2087, not {address}")
    return host.strip("[]") or "127.0.0.1", int(port)
