"""
python -m medseal vectors FOLDER    every case of a folder of vectors, and those on which it differs
python -m medseal archive FOLDER    an archive: archive.json, and blocks/ with each block in a file named by its digest
python -m medseal serve             answers lines of JSON: {"vector": {"format", "case"}}; {"archive", "blocks"}, which
                                    becomes the base of what follows; {"archive", "changes"} to the base, null for gone
"""

import base64
import json
import sys
from pathlib import Path

from .archive import Audit
from .vectors import outcome, run


def verify(folder):
    def block(digest):
        file = folder / "blocks" / digest
        return file.read_bytes() if file.exists() else None

    return Audit(json.loads((folder / "archive.json").read_text()), block).run()


def decoded(blocks):
    return {digest: None if data is None else base64.b64decode(data) for digest, data in blocks.items()}


def serve():
    base = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "vector" in question:
            answer = outcome(question["vector"]["format"], question["vector"]["case"])
        else:
            if "blocks" in question:
                base = decoded(question["blocks"])
            blocks = base | decoded(question.get("changes", {}))
            answer = Audit(question["archive"], blocks.get).run()
        print(json.dumps(answer), flush=True)


def main(arguments):
    if arguments == ["serve"]:
        serve()
    elif len(arguments) == 2 and arguments[0] in ("vectors", "archive"):
        folder = Path(arguments[1])
        print(json.dumps(run(folder) if arguments[0] == "vectors" else verify(folder), indent=2))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


sys.exit(main(sys.argv[1:]))
