"""What a bundle shows: formats.md, section 27; leave to write: section 12."""

from . import checkpoint as checkpoints
from . import consent as consents
from . import merkle, state
from .bundle import read_manifest
from .crypto import sha256
from .generation import Order
from .header import ZEROS, open_batch_alone, open_header_alone
from .reader import Refused, need

GRACE = 7200
WRITE = 4
NEVER = float("inf")


def holds(condition, why):
    need(condition, why, "ERR_EVIDENCE")


class Evidence:
    """A bundle against the hashes of a block and of the contracts' code; its findings name one block each."""

    def __init__(self, bundle, blocks, block_hash, registry_code, anchor_code):
        self.bundle, self.blocks = bundle, blocks
        self.findings, self.missing, self.asked = set(), 0, set()
        self.counts = {"headers": 0, "batches": 0, "readings": 0, "checkpoints": 0, "unfinished": 0, "unshown": 0}
        self.block = state.read_block(bundle["block"])
        holds(block_hash in (None, self.block["hash"]), "another block than the given one")
        self.consents = self.proven_consents(registry_code)
        self.prove_heads(anchor_code)

    def find(self, kind, _thing, digest, **_where):
        if kind == "missing":
            self.missing += 1
        else:
            self.findings.add(f"{kind} {digest}")

    def account(self, address, path, code):
        storage, found = state.account(self.block["stateRoot"], address, path)
        holds(found == code, "a contract of other code")
        return storage

    def proven_consents(self, code):
        bundle, shown = self.bundle, []
        path = bundle["registryAccount"]
        storage = None if path is None else self.account(bundle["registry"], path, code)
        for one in bundle["consents"]:
            consent = consents.read_consent(one["bytes"])
            number = consents.consent_id(consent)
            holds(self.covered(one["scope"], consent["scope"]), "a consent that is not over this stream")
            holds((one["state"] is None) == (storage is None), "the state of some consents, and of others not")
            holds(number not in [before["id"] for before in shown], "a consent twice")
            times = None if storage is None else self.in_force(consent, number, storage, *one["state"])
            shown.append({"id": number, "consent": consent, "inForce": times})
        return shown

    def covered(self, way, scope):
        index, size, path = way
        stream = bytes.fromhex(self.bundle["stream"])
        if size == 1:
            return (index, path, scope) == (0, [], "0x" + stream.hex())
        return merkle.included(merkle.leaf_hash(stream), index, size, path, bytes.fromhex(scope[2:]))

    def in_force(self, consent, number, storage, entry, ended):
        """From when until when, or nothing: by the state of the block."""
        grantor = bytes.fromhex(consent["grantor"][2:])
        own = state.mapped(grantor, state.ENTRIES)
        packed = int.from_bytes(state.slot(storage, state.mapped(number, own), entry), "big")
        issued, granted, revoked = (packed >> bits & (1 << 48) - 1 for bits in (0, 48, 96))
        before = int.from_bytes(state.slot(storage, state.mapped(grantor, state.ENDED_BEFORE), ended), "big")
        holds(granted > 0, "a consent that was never granted")
        until = min(revoked or NEVER, max(granted, before) if issued <= before else NEVER)
        if until == NEVER:
            return [{"from": granted}]
        return [{"from": granted, "until": until}] if until > granted else []

    def prove_heads(self, code):
        bundle, block = self.bundle, self.block
        storage = self.account(bytes.fromhex(bundle["anchor"]), bundle["anchorAccount"], code)
        addresses = [gateway["address"] for gateway in bundle["gateways"]]
        holds(len(set(addresses)) == len(addresses), "a gateway twice")
        for gateway in bundle["gateways"]:
            head, last = bytes(32), (0, 0)
            for anchor in gateway["checkpoints"]:
                at = anchor["block"], anchor["time"]
                ordered = all(a <= b for a, b in zip(last, at)) and at[0] <= block["number"] and at[1] <= block["timestamp"]
                holds(ordered, "times of anchors out of order")
                anchor["before"], last = head, at
                head = merkle.next_head(head, merkle.inner(anchor["root"], anchor["digest"], anchor["size"]))
            slot = state.mapped(gateway["address"], state.HEADS)
            holds(state.slot(storage, slot, gateway["storage"]) == head, "checkpoints that do not lead to the head")
            self.counts["checkpoints"] += len(gateway["checkpoints"])

    def fetch(self, digest, thing):
        """A block whose bytes are those that its digest names, else a finding or something missing."""
        self.asked.add(digest)
        block = self.blocks.get(digest)
        if block is not None and sha256(block).hex() == digest:
            return block
        self.find("missing" if block is None else "altered", thing, digest)
        return None

    def run(self):
        bundle = self.bundle
        if bundle["registryAccount"] is None:
            self.missing += 1
        entries = {one["address"].hex(): self.entries(one["address"].hex(), one["checkpoints"]) for one in bundle["gateways"]}
        shown, epochs = set(), set()
        for given in bundle["generations"]:
            leave = self.consents[given["write"]]
            gateway = leave["consent"]["grantee"][2:].lower()
            holds(gateway in entries, "a generation whose gateway is not shown")
            holds((gateway, given["generation"]) not in shown, "a generation twice")
            shown.add((gateway, given["generation"]))
            epochs |= Shown(self, given, leave, gateway, entries[gateway]).run()
        ok = not self.findings and not self.missing
        holds(not ok or set(self.blocks) <= self.asked, "a block that nothing names")
        everything = (bundle["to"] - bundle["from"]) // bundle["epochLength"]
        return {
            "ok": ok,
            **self.counts,
            "unrecorded": everything - len(epochs),
            "findings": sorted(self.findings),
            "missing": self.missing,
            "consents": [self.told(one) for one in self.consents],
        }

    def told(self, shown):
        times = {} if shown["inForce"] is None else {"inForce": shown["inForce"]}
        return {"id": "0x" + shown["id"].hex()} | times

    def entries(self, gateway, anchors):
        """Every entry under the first tag that named it, with the time of its anchor."""
        found, previous = {}, ZEROS
        place = {"chainId": self.bundle["chainId"], "anchor": self.bundle["anchor"], "gateway": gateway}
        for index, anchor in enumerate(anchors):
            digest = anchor["digest"].hex()
            wanted = place | {"index": index, "headBefore": anchor["before"].hex(), "previous": previous}
            for entry in self.entries_of(digest, anchor, wanted) or []:
                found.setdefault(entry["tag"], (entry, anchor["time"]))
            previous = digest
        return found

    def entries_of(self, digest, anchor, wanted):
        block = self.fetch(digest, "checkpoint")
        if block is None:
            return None
        try:
            opened = checkpoints.read_checkpoint(block)
            entries = opened["entries"]
            if entries is None:
                pages = [self.fetch(page, "page") for page in opened["pages"]]
                if None in pages:
                    return None
                entries = checkpoints.join_pages(pages, opened["size"])
            differ = [name for name, value in wanted.items() if opened[name] != value]
            as_anchored = opened["size"] == anchor["size"] and checkpoints.entries_root(entries) == anchor["root"].hex()
            need(not differ and as_anchored, "not what was anchored")
            return entries
        except Refused:
            return self.find("checkpoint", "checkpoint", digest)


class Shown(Order):
    """What is shown of one generation: its headers, their order, leave to write, and readings."""

    def __init__(self, evidence, given, leave, gateway, entries):
        bundle, terms = evidence.bundle, leave["consent"]
        self.evidence, self.bundle, self.leave, self.entries = evidence, bundle, leave, entries
        self.batches = given["batches"]
        self.place = {"chainId": bundle["chainId"], "anchor": bundle["anchor"], "gateway": gateway}
        self.place |= {"stream": bundle["stream"], "generation": given["generation"]}
        whole = bundle["from"] <= terms["dataStart"] and bundle["to"] >= terms["dataEnd"]
        anchored = {entry[name] for entry, _ in entries.values() for name in ("header", "batch")}
        super().__init__(whole, given["filed"], anchored)

    def order(self, _kind, header):
        self.evidence.find("order", "header", header["digest"])

    def run(self):
        """The epochs of which there is something."""
        bundle, before, epochs = self.bundle, (-1, 0), set()
        for batch in self.batches:
            epoch, n = batch["epoch"], batch["n"]
            start = epoch * bundle["epochLength"]
            holds(bundle["from"] <= start < bundle["to"], "a batch outside the window")
            follows = n == before[1] + 1 if epoch == before[0] else epoch > before[0] and n == 0
            holds(follows, "batches out of order")
            before = epoch, n
            if batch["tag"] in self.entries:
                epochs.add(epoch)
        for batch in self.batches:
            if batch["tag"] not in self.entries:
                self.evidence.missing += 1
                continue
            self.batch(batch, *self.entries[batch["tag"]])
        self.check()
        self.evidence.counts["unfinished"] += self.is_unfinished()
        self.evidence.counts["unshown"] += self.unshown()
        return epochs

    def batch(self, batch, entry, anchored_at):
        evidence, bundle = self.evidence, self.bundle
        place = self.place | {"epoch": batch["epoch"], "n": batch["n"]}
        block = evidence.fetch(entry["header"], "header")
        header = None if block is None else self.header(place, batch["headerKey"], entry, block)
        if header is None:
            self.unread.append((batch["epoch"], entry["header"]))
            return
        evidence.counts["headers"] += 1
        self.headers.append(header | {"digest": entry["header"]})
        if self.leave["inForce"] is not None and not self.had_leave(header, anchored_at):
            evidence.find("leave", "header", entry["header"])
        if bundle["shows"] == "headers":
            return
        block = evidence.fetch(entry["batch"], "batch")
        if block is None:
            return
        try:
            need(batch["batchKey"], "no key")
            chunks = open_batch_alone(place, batch["batchKey"], bundle["epochLength"], header, block)
        except Refused:
            evidence.find("refused", "batch", entry["batch"])
            return
        evidence.counts["batches"] += 1
        evidence.counts["readings"] += sum(len(chunk["observations"]) for chunk in chunks)

    def header(self, place, key, entry, block):
        start = place["epoch"] * self.bundle["epochLength"]
        try:
            need(key, "no key")
            header = open_header_alone(place, key, entry, block)
            within = start <= header["earliest"] and header["latest"] < start + self.bundle["epochLength"]
            need(not header["chunks"] or within, "times outside its epoch")
            return header
        except Refused:
            self.evidence.find("refused", "header", entry["header"])
            return None

    def had_leave(self, header, anchored_at):
        """Formats.md, section 12, "Leave to write"."""
        terms, idle = self.leave["consent"], not header["chunks"]
        if not terms["actions"] & WRITE or int(terms["parent"], 16):
            return False
        if not idle and not (terms["dataStart"] <= header["earliest"] and header["latest"] < terms["dataEnd"]):
            return False
        for times in self.leave["inForce"]:
            start = max(times["from"], terms["periodStart"])
            end = min(times.get("until", NEVER), terms["periodEnd"])
            if start < end and start <= anchored_at < end + GRACE and (idle or header["latest"] < end):
                return True
        return False


def verify(manifest, blocks, block_hash, registry_code, anchor_code):
    """`blocks` by digest in hex."""
    return Evidence(read_manifest(manifest), blocks, block_hash, registry_code, anchor_code).run()
