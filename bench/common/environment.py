"""The peers' virtual environment, outside the repository."""
import subprocess
import sys


def python(folder, requirements):
    """Returns the Python of the virtual environment in `folder`, which is made with the packages of
    the file `requirements` where it is missing."""
    program, done = folder / "bin/python", folder / "installed"
    if not done.exists():
        print(f"making {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([program, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        done.touch()
    return program
