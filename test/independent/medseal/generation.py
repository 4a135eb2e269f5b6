"""The headers, and with keys of the data tree the readings, of one generation: formats.md, sections 11 and 12."""

from . import keys
from .crypto import p256_key
from .header import open_batch, open_header, statement_digest
from .reader import Refused


class Order:
    """How the headers of one generation follow on each other; `order` is told what is wrong."""

    def __init__(self, whole, filed, anchored):
        self.whole, self.filed, self.anchored = whole, filed, anchored
        self.headers, self.unread = [], []

    def check(self):
        self.headers.sort(key=lambda header: header["sequence"])
        self.sequence()
        self.epochs()
        self.statements()

    def sequence(self):
        """Each header follows the one before it; for one that could not be read, its own finding speaks."""
        before = None
        for header in self.headers:
            step = header["sequence"] - (before["sequence"] if before else -1)
            if step == 0:
                self.order("repeated", header)
            elif step == 1 and before and header["previous"] != before["digest"]:
                self.order("replaced", header)
            elif step > 1 and not self.elsewhere(before, header):
                self.order("gap", before or header)
            before = header

    def elsewhere(self, before, header):
        """Whether the header before this one was anchored in another epoch, or could not be read."""
        start = before["epoch"] if before else 0
        if any(start <= epoch <= header["epoch"] or digest == header["previous"] for epoch, digest in self.unread):
            return True
        return not self.whole and header["previous"] in self.anchored

    def epochs(self):
        unread = {epoch for epoch, _ in self.unread}
        closed, newest = {}, {}
        for header in self.headers:
            epoch = header["epoch"]
            if (closed.get(epoch) or self.filed) and not header["late"]:
                self.order("late", header)
            closed[epoch] = closed.get(epoch, False) or header["last"]
            newest[epoch] = header
        latest = max([*closed, *unread], default=None)
        for epoch in sorted(closed):
            # Of the newest one more may come.
            if not closed[epoch] and epoch not in unread and epoch != latest:
                self.order("open", newest[epoch])
            # What a patient filed stands in single epochs.
            following = min((one for one in closed if one > epoch), default=epoch + 1)
            if not self.filed and following - epoch - 1 > sum(epoch < one < following for one in unread):
                self.order("gap", newest[epoch])

    def statements(self):
        last = {}
        for header in self.headers:
            for chunk in header["chunks"]:
                statement = chunk["statement"]
                key = p256_key(bytes.fromhex(statement["deviceKey"]))
                digest, counter = statement_digest(statement, key).hex(), int(statement["counter"])
                before = last.get(statement["deviceKey"])
                if before and before[1] == digest:
                    continue
                if before and counter <= before[0]:
                    self.order("repeated statement", header)
                elif before and counter == before[0] + 1 and statement["previous"] != before[1]:
                    self.order("replaced statement", header)
                last[statement["deviceKey"]] = (counter, digest)

    def is_unfinished(self):
        """Whether no header of the newest epoch says that it was the last."""
        newest = max([epoch for epoch, _ in self.unread] + [header["epoch"] for header in self.headers], default=None)
        of_newest = [header for header in self.headers if header["epoch"] == newest]
        unread = newest in {epoch for epoch, _ in self.unread}
        return bool(of_newest) and not unread and not any(header["last"] for header in of_newest)

    def unshown(self):
        """Numbers between the first and the last header that none of them has."""
        numbers = {header["sequence"] for header in self.headers}
        return max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0


class Generation(Order):
    def __init__(self, audit, given):
        super().__init__(given["whole"], given.get("filed", False), audit.anchored)
        self.audit, self.given = audit, given
        self.audit_cover = keys.read_cover(bytes.fromhex(given["audit"]))
        self.data_cover = keys.read_cover(bytes.fromhex(given["data"])) if "data" in given else None

    def find(self, kind, thing, **where):
        where |= {"stream": self.given["stream"], "generation": self.given["generation"]}
        self.audit.find(kind, thing, **where)

    def run(self):
        for epoch in range(self.given["from"], self.given["to"]):
            audit_key = keys.epoch_key(self.audit_cover, epoch)
            n = 0
            while (tag := keys.tag(audit_key, n).hex()) in self.audit.entries:
                self.header(epoch, n, audit_key, *self.audit.entries[tag])
                n += 1
        self.check()

    def header(self, epoch, n, audit_key, index, entry):
        audit, where = self.audit, {"epoch": epoch, "n": n, "checkpoint": index}
        stream = {"stream": self.given["stream"], "generation": self.given["generation"]}
        place = {**audit.place, **stream, "epoch": epoch, "n": n}
        block = audit.fetch("header", entry["header"], **where)
        try:
            header = None if block is None else open_header(place, audit_key, entry, block)
        except Refused as refused:
            header = None
            self.find("refused", "header", digest=entry["header"], code=refused.code, why=str(refused), **where)
        if header is None:
            self.unread.append((epoch, entry["header"]))
            return
        audit.counts["headers"] += 1
        self.headers.append(header | {"digest": entry["header"]})
        if self.data_cover is not None:
            self.batch(place, header, entry, where)

    def batch(self, place, header, entry, where):
        block = self.audit.fetch("batch", entry["batch"], **where)
        if block is None:
            return
        try:
            data_key = keys.epoch_key(self.data_cover, place["epoch"])
            chunks = open_batch(place, data_key, self.given["epochLength"], header, block)
        except Refused as refused:
            self.find("refused", "batch", digest=entry["batch"], code=refused.code, why=str(refused), **where)
            return
        self.audit.counts["batches"] += 1
        self.audit.counts["readings"] += sum(len(chunk["observations"]) for chunk in chunks)

    def order(self, kind, header):
        self.find(kind, "order", digest=header["digest"], epoch=header["epoch"], n=header["n"])
