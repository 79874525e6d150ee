"""Runs the tome program as its users do, with a library of its own for each test, and measures
it."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TOME = pathlib.Path(os.environ.get("TOME", "tome")).resolve()
READER = TOME.parent / "tome-reader"
# Sanitizers cost several times the memory and time, and handle SIGSEGV themselves.
SANITIZED = os.environ.get("TOME_SANITIZED", "") != ""
# No command of these tests may take longer, however bad its input.
MAX_SECONDS = 60 * (5 if SANITIZED else 1)
# The peak resident memory of any one process: the library's cache (64 MiB) and a text of up to 256
# MiB in a few copies.
MAX_PEAK_BYTES = 1500 << 20


class Result:
    """The end of a run of tome. `peak_bytes` is the largest resident set of tome or of a reader it
    waited for."""

    def __init__(self, status, out, err, seconds, peak_bytes):
        self.status, self.out, self.err = status, out, err
        self.seconds, self.peak_bytes = seconds, peak_bytes

    @property
    def text(self):
        return self.out.decode()

    @property
    def notes(self):
        return self.err.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return (f"status {self.status}, {self.seconds:.1f} s, {self.peak_bytes >> 20} MiB, "
                f"stdout {self.out[:500]!r}, stderr {self.err[:1000]!r}")


class TomeTest(unittest.TestCase):
    """A test with a folder for files (self.folder), a library (self.home), and ways to run tome on
    them."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tome-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.home = self.folder / "home"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("TOME", "NO_COLOR", "XDG_"))}
        self.environment.update(TOME_HOME=str(self.home), LC_ALL="C.UTF-8")

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, *arguments, **options):
        """Starts tome. `options` are those of subprocess.Popen; `env` is added to the
        environment."""
        options["env"] = {**self.environment, **options.get("env", {})}
        options.setdefault("cwd", self.folder)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([TOME, *arguments], **options)

    def tome(self, *arguments, **options):
        """Runs tome to its end and returns the Result. Fails where that takes longer than
        MAX_SECONDS."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            options.setdefault("stdout", out)
            options.setdefault("stderr", err)
            began = time.monotonic()
            process = self.start(*arguments, **options)
            overdue = threading.Event()
            watch = threading.Timer(MAX_SECONDS, lambda: (overdue.set(), process.kill()))
            watch.start()
            # The usage that wait4 gives counts this process and the readers that it waited for, and
            # no others.
            _, status, usage = os.wait4(process.pid, 0)
            watch.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            result = Result(process.returncode, out.read(), err.read(), time.monotonic() - began,
                            usage.ru_maxrss * 1024)
        self.assertFalse(overdue.is_set(), f"tome {arguments} takes more than {MAX_SECONDS} s")
        return result

    def done(self, *arguments, **options):
        """Runs tome and expects success."""
        result = self.tome(*arguments, **options)
        self.assertEqual(result.status, 0, f"tome {arguments}: {result}")
        return result

    def fails(self, *arguments, status=1, naming=None, **options):
        """Runs tome and expects an error: its exit status, nothing on stdout, one line that names the culprit."""
        result = self.tome(*arguments, **options)
        self.assertEqual(result.status, status, f"tome {arguments}: {result}")
        self.assertEqual(result.out, b"", f"tome {arguments}: {result}")
        self.assert_one_line(result.notes)
        if naming is not None:
            self.assertIn(str(naming), result.notes)
        self.assert_bounded(result)
        return result

    def assert_one_line(self, notes):
        # The note on the model's missing chat template comes before the error.
        notes = "".join(line for line in notes.splitlines(True) if "has no chat template" not in line)
        self.assertTrue(notes.startswith("tome: "), repr(notes))
        self.assertTrue(notes.endswith("\n"), repr(notes))
        self.assertEqual(notes.count("\n"), 1, repr(notes))
        self.assertNotIn("internal error", notes)

    def assert_bounded(self, result):
        if not SANITIZED:
            self.assertLess(result.peak_bytes, MAX_PEAK_BYTES, repr(result))

    def ordinary_user(self):
        """Returns options for a run as a user whom permissions bind. They are empty unless the user
        is root, and otherwise those of "nobody"."""
        if os.geteuid() != 0:
            return {}
        options = {"user": 65534, "group": 65534, "extra_groups": []}
        self.folder.chmod(0o755)
        try:
            reachable = subprocess.run(["test", "-x", TOME, "-a", "-x", READER], **options).returncode == 0
        except PermissionError:
            reachable = False
        if not reachable:
            self.skipTest("root may do everything, and an ordinary user cannot reach the program")
        return options

    def ask(self, *arguments, **options):
        """Returns the answer to a question as the object that --json prints."""
        return self.done("ask", "--json", *arguments, **options).json

    def quotes(self, *arguments, **options):
        """Returns all quotes of an answer as one string."""
        return "\n".join(citation["quote"] for citation in self.ask(*arguments, **options)["citations"])


def reader_processes(file_name):
    """Returns the reader processes with a file of this name in their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it has just ended
            if f"--name={file_name}".encode() in command:
                found.append(int(entry.name))
    return found


def file_size_limit(size):
    """Returns a `preexec_fn` that lets no file of the process grow beyond `size` bytes, as on a
    full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def wait_until(condition, seconds=30):
    """Polls until `condition()` holds. Returns whether it did in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def main():
    if not TOME.is_file():
        sys.exit(f"{TOME}: no such program; set TOME to the tome under test")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    unittest.main(verbosity=2)
