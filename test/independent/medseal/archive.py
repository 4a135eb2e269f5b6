"""An archive against its anchors, in the depth that the keys allow: formats.md, sections 8, 11 to 13, and 15."""

from . import checkpoint as checkpoints
from . import merkle
from .crypto import sha256
from .generation import Generation
from .header import ZEROS
from .reader import Refused
from .seal import BATCH_SIZES, HEADER_SIZE

ENVELOPE = 16384


class Audit:
    """`blocks` gives the bytes behind a digest (hex), or None; findings name what is wrong, and where."""

    def __init__(self, archive, blocks):
        self.archive, self.blocks = archive, blocks
        self.place = {name: archive[name] for name in ("chainId", "anchor", "gateway")}
        self.findings, self.told = [], set()
        self.entries, self.anchored, self.erased = {}, set(), set()
        self.counts = {"checkpoints": 0, "entries": 0, "headers": 0, "batches": 0, "readings": 0}

    def find(self, kind, thing, **where):
        self.findings.append({"kind": kind, "object": thing, **where})

    def run(self):
        self.keyless()
        # Without one of the checkpoints nobody knows what was anchored in it.
        if self.counts["checkpoints"] == len(self.archive["checkpoints"]):
            for generation in self.archive.get("generations", []):
                Generation(self, generation).run()
        return {"findings": self.findings, "counts": self.counts}

    def fetch(self, thing, digest, **where):
        """A block whose bytes are those that its digest names; else a finding, once for each block."""
        block = self.blocks(digest)
        if block is not None and sha256(block).hex() == digest:
            return block
        if digest not in self.told:
            self.told.add(digest)
            kind = "altered" if block is not None else "erased" if digest in self.erased else "missing"
            self.find(kind, thing, digest=digest, **where)
        return None

    def keyless(self):
        head, previous = ZEROS, ZEROS
        read = []
        for index, anchored in enumerate(self.archive["checkpoints"]):
            after = merkle.next_head(
                bytes.fromhex(head),
                merkle.inner(bytes.fromhex(anchored["root"]), bytes.fromhex(anchored["digest"]), int(anchored["size"])),
            ).hex()
            if after != anchored["head"]:
                self.find("forked", "head", checkpoint=index)
            opened = self.checkpoint(index, anchored, head, previous)
            if opened:
                read.append((index, opened))
            head, previous = after, anchored["digest"]
        if head != self.archive["head"]:
            self.find("forked", "head", checkpoint=len(self.archive["checkpoints"]))
        # What is erased stands in a later checkpoint than what it was anchored with.
        for _, opened in read:
            self.erased.update(opened["erased"])
        for index, opened in read:
            self.referenced(index, opened)

    def checkpoint(self, index, anchored, head, previous):
        digest, where = anchored["digest"], {"checkpoint": index}
        block = self.fetch("checkpoint", digest, **where)
        if block is None:
            return None
        try:
            opened = checkpoints.read_checkpoint(block)
            opened["entries"] = self.all_entries(index, opened)
        except Refused as refused:
            return self.find("malformed", "checkpoint", digest=digest, why=str(refused), **where)
        if opened["entries"] is None:
            return None
        wanted = {**self.place, "index": index, "headBefore": head, "previous": previous, "size": int(anchored["size"])}
        differ = [name for name, value in wanted.items() if opened[name] != value]
        if not differ and checkpoints.entries_root(opened["entries"]) != anchored["root"]:
            differ = ["root"]
        if differ:
            return self.find("mismatch", "checkpoint", digest=digest, why=", ".join(differ), **where)
        self.counts["checkpoints"] += 1
        return opened

    def all_entries(self, index, opened):
        """The entries on a checkpoint or its pages; None when a page is missing or altered."""
        if opened["entries"] is not None:
            return opened["entries"]
        pages = [self.fetch("page", digest, checkpoint=index) for digest in opened["pages"]]
        if None in pages:
            return None
        return checkpoints.join_pages(pages, opened["size"])

    def referenced(self, index, opened):
        """The blocks that a checkpoint names, and what else is wrong with naming them."""
        for entry in opened["entries"] or []:
            self.counts["entries"] += 1
            self.anchored.update((entry["header"], entry["batch"]))
            before = self.entries.setdefault(entry["tag"], (index, entry))
            if before[0] != index:
                self.find("duplicated", "entry", digest=entry["header"], checkpoint=index)
            for thing, sizes in (("header", (HEADER_SIZE,)), ("batch", BATCH_SIZES)):
                self.sized(thing, entry[thing], lambda size, sizes=sizes: size in sizes, index)
        for row in opened["mail"]:
            self.sized("envelope", row["envelope"], lambda size: size > 0 and size % ENVELOPE == 0, index)

    def sized(self, thing, digest, fits, index):
        block = self.fetch(thing, digest, checkpoint=index)
        if block is not None and not fits(len(block)):
            self.find("malformed", thing, digest=digest, why="size", checkpoint=index)
