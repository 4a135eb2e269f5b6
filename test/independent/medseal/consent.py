"""Consent, its sentence, scope and id: formats.md, section 21."""

import datetime
import re

from .crypto import address, keccak
from .merkle import leaf_hash, root
from .reader import Reader, need

LATEST = 253_402_300_799
TYPE = (
    b"Consent(address grantor,address grantee,bytes32 scope,string purpose,uint48 dataStart,uint48 dataEnd,"
    b"uint48 periodStart,uint48 periodEnd,uint16 actions,bytes32 parent,bytes32 salt,string statement)"
)
CODES = {
    "TREAT": "treating and caring for the person whose data it is",
    "ETREAT": "emergency treatment of the person whose data it is",
    "COC": "handing the care of the person whose data it is from one carer to the next",
    "CAREMGT": "planning and organising the care of the person whose data it is",
    "HPAYMT": "paying for health care",
    "HOPERAT": "running a health care service",
    "HQUALIMP": "improving the quality of health care",
    "PATSFTY": "making health care safer",
    "PATRQT": "answering a request of the person whose data it is",
    "FAMRQT": "answering a request of the family of the person whose data it is",
    "PWATRNY": "acting under a power of attorney of the person whose data it is",
    "PUBHLTH": "protecting public health",
    "HRESCH": "health research",
    "CLINTRCH": "a clinical trial",
}
TERMS = {
    "0000004": "with no restriction on the research",
    "0000006": "only on health, medicine or biology, and not on where people come from",
    "0000007": "only on the disease with the number",
    "0000011": "only on where people come from",
    "0000015": "not to develop methods or software",
    "0000016": "only genetic studies",
    "0000018": "only by organisations not working for profit and not for commercial use",
    "0000019": "only if the results are made available to other researchers",
    "0000021": "only with the approval of an ethics committee",
    "0000029": "only if the results are returned to the source of the data",
    "0000042": "for any research question",
    "0000043": "also for medical care",
    "0000044": "not on where people come from",
    "0000045": "only by organisations not working for profit",
    "0000046": "not for commercial use",
}
ACTIONS = (
    "read the data",
    "check that the record is complete, without reading the values in it",
    "record new data",
    "set up alerts",
    "receive and answer alerts",
    "let others use this permission too, within its limits",
    "give permissions in my place, within the limits of this one",
)
TERM = re.compile(r"DUO:([0-9]{7})(?:=(MONDO:[0-9]{7}))?\Z", re.ASCII)


def invalid(condition, why):
    need(condition, why, "ERR_CONSENT_INVALID")


def purpose_words(purpose):
    code, *terms = purpose.split("+")
    invalid(code in CODES, "an unknown purpose")
    invalid(not terms or code in ("HRESCH", "CLINTRCH"), "terms behind a purpose that takes none")
    invalid(all(a < b for a, b in zip(terms, terms[1:])), "terms that do not ascend")
    words = f"{CODES[code]} ({code})"
    for term in terms:
        found = TERM.match(term)
        invalid(found and found.group(1) in TERMS, "an unknown term")
        number, disease = found.groups()
        invalid((number == "0000007") == (disease is not None), "a disease where none stands, or none where one does")
        words += f", {TERMS[number]}{' ' + disease if disease else ''} (DUO:{number})"
    return words


def moment(time):
    epoch = datetime.datetime(1970, 1, 1)
    return (epoch + datetime.timedelta(seconds=time)).isoformat(sep=" ") + " UTC"


def action_words(actions):
    words = [text for bit, text in enumerate(ACTIONS) if actions >> bit & 1]
    if len(words) < 3:
        return " and ".join(words)
    return ", and ".join([", and ".join(words[:-1]), words[-1]])


def sentence(consent):
    parts = [
        f"I, the holder of address {consent['grantor']}, allow the holder of address {consent['grantee']} to {action_words(consent['actions'])}",
        f"this covers only data of the stream or list of streams with the number {consent['scope']} that was measured"
        f" at or after {moment(consent['dataStart'])} and before {moment(consent['dataEnd'])}",
        f"it is only for {purpose_words(consent['purpose'])}",
        f"it may be used at or after {moment(consent['periodStart'])} and before {moment(consent['periodEnd'])}, and I can take it back at any time before that",
    ]
    if int(consent["parent"], 16):
        parts.append(f"it passes on a permission given to me, with the number {consent['parent']}, and ends when that one ends")
    return "; ".join(parts) + "."


def read_consent(data):
    reader = Reader(data)
    reader.name("medseal/consent/1\n")
    consent = {
        "grantor": address(reader.bytes(20)),
        "grantee": address(reader.bytes(20)),
        "scope": "0x" + reader.hex(32),
        "purpose": reader.text8(),
    }
    for name in ("dataStart", "dataEnd", "periodStart", "periodEnd"):
        consent[name] = reader.u48()
    consent |= {"actions": reader.u16(), "parent": "0x" + reader.hex(32), "salt": "0x" + reader.hex(32)}
    consent["statement"] = reader.text16()
    reader.end()
    for name in ("grantor", "grantee", "scope"):
        invalid(int(consent[name], 16), f"a zero {name}")
    purpose_words(consent["purpose"])
    for start, end in (("dataStart", "dataEnd"), ("periodStart", "periodEnd")):
        invalid(consent[end] <= LATEST and consent[start] < consent[end], "a window that is none")
    invalid(1 <= consent["actions"] <= 127, "no action, or an unknown one")
    need(consent["statement"] == sentence(consent), "another sentence than its fields give", "ERR_STATEMENT_DIFFERS")
    return consent


def word(number):
    return number.to_bytes(32, "big")


def consent_id(consent):
    fields = [
        word(int(consent["grantor"], 16)),
        word(int(consent["grantee"], 16)),
        bytes.fromhex(consent["scope"][2:]),
        keccak(consent["purpose"].encode()),
        *(word(consent[name]) for name in ("dataStart", "dataEnd", "periodStart", "periodEnd", "actions")),
        bytes.fromhex(consent["parent"][2:]),
        bytes.fromhex(consent["salt"][2:]),
        keccak(consent["statement"].encode()),
    ]
    return keccak(keccak(TYPE), *fields)


def scope_of(streams):
    """The scope of a list of stream ids (bytes)."""
    invalid(1 <= len(streams) <= 256, "no stream, or too many")
    invalid(len(set(streams)) == len(streams), "a stream twice")
    return streams[0] if len(streams) == 1 else root([leaf_hash(stream) for stream in sorted(streams)])
