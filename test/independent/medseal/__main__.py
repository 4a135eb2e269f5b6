"""
python -m medseal vectors FOLDER    every case of a folder of vectors, and those on which it differs
python -m medseal archive FOLDER    an archive: archive.json, and blocks/ with each block in a file named by its digest
python -m medseal proof FILE BLOCK CODE               a proof, against the hashes of its block and of RecordAnchor's code
python -m medseal evidence FILE BLOCK CODE CODE       a bundle, against the hashes of its block, ConsentRegistry's and RecordAnchor's code
python -m medseal serve             answers lines of JSON: {"vector": {"format", "case"}}; {"archive", "blocks"}, which
                                    becomes the base of what follows; {"archive", "changes"} to the base, null for gone
"""

import base64
import json
import sys
from pathlib import Path

from .archive import Audit
from .bundle import open_file
from .evidence import verify as verify_evidence
from .proof import open_proof
from .reader import Refused
from .vectors import outcome, run


def verify(folder):
    def block(digest):
        file = folder / "blocks" / digest
        return file.read_bytes() if file.exists() else None

    return Audit(json.loads((folder / "archive.json").read_text()), block).run()


def against(kind, file, *hashes):
    """What a proof or a bundle shows to whoever trusts these hashes, or why it is refused."""
    content = Path(file).read_bytes()
    trusted = [bytes.fromhex(one.removeprefix("0x")) for one in hashes]
    try:
        if kind == "evidence":
            return verify_evidence(*open_file(content), *trusted)
        return open_proof(content.decode("utf-8", "replace"), *trusted)
    except Refused as refused:
        return {"error": refused.code, "why": str(refused)}


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
    elif (arguments[:1], len(arguments)) in ((["proof"], 4), (["evidence"], 5)):
        print(json.dumps(against(*arguments), indent=2))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


sys.exit(main(sys.argv[1:]))
