"""python -m medseal vectors FOLDER | archive FOLDER...; prints one JSON object a line."""

import json
import sys
from pathlib import Path

from .archive import Audit
from .vectors import run


def verify(folder):
    """The archive in a folder: archive.json and blocks/, each block in a file named by its digest."""
    folder = Path(folder)
    archive = json.loads((folder / "archive.json").read_text())

    def block(digest):
        file = folder / "blocks" / digest
        return file.read_bytes() if file.exists() else None

    return Audit(archive, block).run()


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("vectors", "archive"):
        print(__doc__, file=sys.stderr)
        return 2
    for folder in arguments[1:]:
        result = run(folder) if arguments[0] == "vectors" else verify(folder)
        print(json.dumps(result), flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
