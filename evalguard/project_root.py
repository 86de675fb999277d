"""Which folder is the project of a file, where nobody says so."""

from __future__ import annotations

from pathlib import Path

from evalguard.config import Config


def root_of(place: Path, config: Config) -> Path | None:
    """The folder of the configuration, or of the repository, or the one that holds the package, for an absolute path of
    a file or folder; None for a file that stands alone."""
    if config.file is not None:
        return config.file.parent
    folder = place if place.is_dir() else place.parent
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            return above
    if not (folder / "__init__.py").exists():
        return None
    while (folder / "__init__.py").exists() and folder != folder.parent:
        folder = folder.parent
    return folder
