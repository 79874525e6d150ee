"""Files of Debian packages, without installing them.

Packages are downloaded with apt-get and unpacked with dpkg; root is not needed. Where the pinned
version of a package is no longer offered, the offered one is taken and named.
"""
import subprocess
import sys


def download(package, version, into):
    """Downloads the archive of `package` in the pinned version, or else in the one that the
    machine's sources offer."""
    into.mkdir(parents=True, exist_ok=True)
    pinned = f"{package}={version}"
    if subprocess.run(["apt-get", "-q", "download", pinned], cwd=into, capture_output=True).returncode:
        print(f"{pinned} is not offered; taking the version that is", file=sys.stderr)
        subprocess.run(["apt-get", "-q", "download", package], cwd=into, check=True, stdout=subprocess.DEVNULL)
    return next(into.glob("*.deb"))


def unpacked(package, version, folder):
    """Returns the folder with the files of `package`, FOLDER/packages/PACKAGE."""
    root = folder / "packages" / package
    if not root.exists():
        archive = download(package, version, folder / "archives" / package)
        partial = root.with_name(package + ".partial")
        partial.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg", "-x", archive, partial], check=True)
        partial.rename(root)
    return root
