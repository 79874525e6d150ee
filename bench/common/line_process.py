"""A program that answers lines of JSON with lines of JSON, and the process that asks it."""
import json
import subprocess
import sys


def serve(reply_to):
    """Answers each line of standard input with what `reply_to` returns for it, until the input ends.
    The first line that is printed says that the program is ready."""
    # Libraries that print would break the lines of replies, so stdout is replaced.
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(reply_to(json.loads(line))), file=out, flush=True)


class LineProcess:
    """A program that calls serve(). What it prints on standard error goes to the file `log`."""

    def __init__(self, command, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log)
        self._line()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[1]} ended; see {self.log.name}")
        return json.loads(line)

    def request(self, wanted):
        self.process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self.process.stdin.flush()
        return self._line()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()
