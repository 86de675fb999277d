"""The process that downloads one source archive: `python -m evalguard.corpus.source_archive NAME VERSION FOLDER`.

pip would run the archive's `setup.py` or build backend to download it (pip's issue 1884). So it is asked only where it
looks for packages. The archive is found by unearth, which reads the same indexes as pip does, and is written here byte
by byte: no larger than allowed, and only with the SHA-256 that the index gives. Nothing of it is run.

A process of its own, for what an index sends may be slow or large without end: the caller limits the time, this module
the memory. It ends with status 0 and the archive in the folder, or says why not in a line that begins with `ERROR:`.
"""

from __future__ import annotations

import ast
import hashlib
import logging
import os
import re
import resource
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from evalguard.corpus.entries import ARCHIVES

if TYPE_CHECKING:
    import httpx2
    from unearth import Link, PackageFinder
    from unearth.fetchers import Fetcher, PyPIClient

MOST_BYTES_DOWNLOADED = 1_000_000_000
MOST_BYTES_OF_MEMORY = 4 << 30
PIP_SECONDS = 60
WAITING_SECONDS = 30.0  # for the next byte, if pip's configuration does not say

_DEFAULT_INDEX = re.compile(r"--index-url.*?\(default\s+(\S+?)\)", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CREDENTIALS = re.compile(r"://[^/@\s]*@")
_NETWORK = ("http", "https")
_CHUNK = 1 << 20


class NotToBeHad(Exception):
    """An archive that is not to be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where pip looks for packages, and how it gets there."""

    indexes: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    certificates: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None
    seconds: float = WAITING_SECONDS


def main(arguments: Sequence[str]) -> int:
    """Download the archive; 1 if it is not to be had."""
    name, version, folder = arguments
    logging.disable()  # unearth says by warnings what it passes over
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES_OF_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    try:
        download(name, version, Path(folder), places_of_pip())
    except NotToBeHad as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


def places_of_pip() -> Places:
    """Where pip looks, by its configuration: of its files and of the environment."""
    said = _configured(_pip("config", "list"))
    given = said.get("index-url") or _default_index(_pip("download", "--help"))
    no_index = said.get("no-index", "").lower() in ("1", "true", "yes", "on", "y", "t")
    return Places(
        () if no_index else (given, *said.get("extra-index-url", "").split()),
        tuple(said.get("find-links", "").split()),
        tuple(said.get("trusted-host", "").split()),
        said.get("cert"),
        said.get("client-cert"),
        said.get("proxy"),
        float(said.get("timeout") or said.get("default-timeout") or WAITING_SECONDS),
    )


def _configured(listed: str) -> Mapping[str, str]:
    """The options of `pip download`, of what `pip config list` prints: lines such as `global.index-url='https://...'`.

    The environment wins over the command's own section, and that over the section `global`.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "download": {}, ":env:": {}}
    for line in listed.splitlines():
        key, is_value, value = line.partition("=")
        section, _, option = key.partition(".")
        if is_value and section in sections:
            sections[section][option] = str(ast.literal_eval(value))
    return {**sections["global"], **sections["download"], **sections[":env:"]}


def _default_index(help_text: str) -> str:
    """The index that pip asks if none is configured, as its help says."""
    found = _DEFAULT_INDEX.search(help_text)
    if found is None:
        raise NotToBeHad("pip does not say which index is its default")
    return found[1]


def _pip(*words: str) -> str:
    environment = {**os.environ, "COLUMNS": "1000", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, "-m", "pip", *words]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PIP_SECONDS, env=environment, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotToBeHad(f"pip does not tell its configuration: {error}") from error
    return run.stdout


def download(name: str, version: str, folder: Path, places: Places) -> Path:
    """Write the source archive of a version into a folder, and return its path."""
    try:
        import httpx2
        from unearth import PackageFinder
    except ImportError as error:
        raise NotToBeHad(
            f'no wheel, and a source archive needs {error.name}: pip install "torch-evalguard[corpus]"'
        ) from error
    if not places.indexes and not places.find_links:
        raise NotToBeHad("pip is told to ask no index")
    with _client(places) as client:
        finder = PackageFinder(
            cast("Fetcher", client),  # which it is, but for the types of its arguments
            index_urls=places.indexes,
            find_links=[place for place in places.find_links if "://" in place or os.path.exists(place)],
            trusted_hosts=places.trusted_hosts,
            ignore_compatibility=True,  # it is only read, so any Python will do
            no_binary=[name],
        )
        try:
            links = list(_links(finder, f"{name}=={version}"))
            if not links:
                raise NotToBeHad(f"no source archive of {name}=={version} either")
            return _written(client, links[0], folder)
        except (OSError, ValueError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise NotToBeHad(_CREDENTIALS.sub("://", f"{type(error).__name__}: {error}".splitlines()[0])) from error


def _client(places: Places) -> PyPIClient:
    from unearth.auth import MultiDomainBasicAuth
    from unearth.fetchers import PyPIClient

    verify: ssl.SSLContext | bool = True
    if places.certificates or places.client_certificate:
        verify = ssl.create_default_context(cafile=places.certificates)
        if places.client_certificate:
            verify.load_cert_chain(places.client_certificate)
    return PyPIClient(
        auth=MultiDomainBasicAuth(prompting=False, index_urls=places.indexes),
        trusted_hosts=places.trusted_hosts,
        verify=verify,
        proxy=places.proxy,
        timeout=places.seconds,
        follow_redirects=True,
        event_hooks={"response": [_stay_on_the_network]},
    )


def _stay_on_the_network(response: httpx2.Response) -> None:
    """An index may send us to another address, but not to a file of this machine."""
    place = urllib.parse.urljoin(str(response.url), response.headers.get("location", ""))
    if response.has_redirect_location and urllib.parse.urlsplit(place).scheme not in _NETWORK:
        raise ValueError(f"{response.url} leads away from the network")


def _links(finder: PackageFinder, requirement: str) -> Iterator[Link]:
    """The addresses of the source archives of a version, that of the index asked first in front."""
    for package in finder.find_matches(requirement, allow_yanked=True, allow_prereleases=True):
        link = package.link
        from_network = urllib.parse.urlsplit(link.comes_from or link.url).scheme in _NETWORK
        on_network = link.parsed.scheme in _NETWORK
        if link.filename.endswith(ARCHIVES) and (on_network or (link.is_file and not from_network)):
            yield link


def _written(client: PyPIClient, link: Link, folder: Path) -> Path:
    """The archive behind an address, in the folder under its name."""
    expected = _sha256(link)
    target = folder / link.filename
    unfinished = target.with_name(f"{target.name}.part")  # so what is there under its own name is whole
    found, size = hashlib.sha256(), 0
    try:
        reading = client.stream("GET", link.url_without_fragment, headers={"Accept-Encoding": "identity"})
        with reading as response, unfinished.open("wb") as file:
            response.raise_for_status()
            for chunk in response.iter_raw(_CHUNK):
                found.update(chunk)
                size += len(chunk)
                if size > MOST_BYTES_DOWNLOADED:
                    raise NotToBeHad(f"{link.filename} is larger than is allowed")
                file.write(chunk)
        if expected is not None and found.hexdigest() != expected:
            raise NotToBeHad(f"{link.filename} has not the SHA-256 that the index gives")
        return unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _sha256(link: Link) -> str | None:
    """What the archive's SHA-256 must be. Only a file that lies here may do without."""
    given = (link.hash_option or {}).get("sha256", [None])[0]
    if given is not None and _SHA256.fullmatch(given.lower()):
        return given.lower()
    if given is None and link.is_file:
        return None
    raise NotToBeHad(f"the index gives no SHA-256 of {link.filename}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
