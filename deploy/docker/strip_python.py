"""Takes from an image what runs services but is not needed to: runs as root in the build of an image, once.

Gone afterwards: what installs packages, the desktop parts and tests of the standard library, every setuid and
setgid bit. What remains of the standard library is compiled, since on a read-only root Python could keep nothing
that it compiles.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
import stat
import sysconfig
from collections.abc import Iterator
from pathlib import Path

INSTALLERS = ("pip", "setuptools", "wheel", "pkg_resources")
UNUSED = ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo", "test")
_ELSEWHERE = frozenset({"proc", "sys", "dev", "run"})


def installers(packages: Path) -> Iterator[Path]:
    """What belongs to an installer among these packages, its metadata too."""
    for name in INSTALLERS:
        yield from packages.glob(name)
        yield from packages.glob(f"{name}-*.*-info")


def commands(folder: Path) -> Iterator[Path]:
    """The commands that installers left there, with and without a version."""
    for name in ("pip", "wheel", "idle", "pydoc"):
        yield from (path for path in folder.glob(f"{name}*") if not path.name[len(name) :].strip(".0123456789"))


def with_others_rights(root: Path) -> Iterator[Path]:
    """Files below it that run with the rights of their owner or group; not those of mounted file systems."""
    for top in root.iterdir():
        if top.name not in _ELSEWHERE and not top.is_symlink():
            yield from (path for path in top.rglob("*") if _is_setid(path))


def _is_setid(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) and bool(mode & (stat.S_ISUID | stat.S_ISGID))


def remove(path: Path) -> None:
    """A file, a link or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def main() -> None:
    """The command."""
    library = Path(sysconfig.get_path("stdlib"))
    folders = {Path(sysconfig.get_path("purelib")), library.with_name("python3") / "dist-packages"}
    doomed = [path for folder in folders for path in installers(folder)]
    doomed += [library / name for name in UNUSED if (library / name).is_dir()]
    doomed += {found for folder in ("/usr/bin", "/usr/local/bin") for found in commands(Path(folder))}
    for path in doomed:
        remove(path)
    for path in with_others_rights(Path("/")):
        path.chmod(path.stat().st_mode & ~(stat.S_ISUID | stat.S_ISGID))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(library, quiet=1, force=True, invalidation_mode=mode)


if __name__ == "__main__":
    main()
