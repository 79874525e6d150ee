"""`tome embed`, as a process."""
import subprocess


def embed(program, folder, lines, *options):
    """Returns what the program prints for the lines with the model in `folder`, as JSON text."""
    command = [program, "embed", "--model", str(folder), *options, "--json"]
    return subprocess.run(command, check=True, capture_output=True, text=True, input="\n".join(lines) + "\n").stdout
