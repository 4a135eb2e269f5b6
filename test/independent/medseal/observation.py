"""Instants, observations and leaves: formats.md, sections 3 and 9."""

import calendar
import datetime
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .merkle import leaf_hash
from .reader import Reader, malformed, need

INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))\Z"
)
STATUSES = ("final", "preliminary", "amended", "corrected", "registered")
KINDS = ("missing", "quantity", "sampled", "boolean")
COMPARATORS = ("", "<", "<=", ">=", ">")


def days(year, month, day):
    """Days since 1970-01-01; year 0 exists in the proleptic calendar, and datetime begins at 1."""
    if year == 0:
        return days(400, month, day) - 146097
    return datetime.date(year, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()


def seconds(text):
    """Whole unix seconds of an instant."""
    found = INSTANT.match(text)
    if not found:
        raise malformed("no instant")
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    need(1 <= month <= 12, "no such month")
    need(1 <= day <= calendar.monthrange(year or 400, month)[1], "no such day")
    need(hour <= 23 and minute <= 59 and second <= 59, "no such time of day")
    offset = 0
    if found.group(8):
        east, part = int(found.group(9)), int(found.group(10))
        need(part <= 59 and east * 60 + part <= 14 * 60, "no such offset")
        offset = (east * 60 + part) * 60 * (1 if found.group(8) == "+" else -1)
    return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset


def read_code(reader):
    return {"system": reader.text16(), "code": reader.text16()}


def read_channel(reader):
    channel = {"code": read_code(reader)}
    if reader.flag():
        channel["component"] = read_code(reader)
    channel["unit"] = reader.text8()
    return channel


def read_sampled(reader):
    names = ("origin", "period", "factor", "lowerLimit", "upperLimit")
    sampled = {name: reader.text8() for name in names}
    return {**sampled, "dimensions": reader.u16(), "data": reader.text32()}


def read_value(reader):
    kind = reader.choice(KINDS)
    if kind == "missing":
        return {"kind": kind, "reason": reader.text8(), "source": reader.text16()}
    if kind == "quantity":
        comparator = reader.choice(COMPARATORS)
        return {"kind": kind, "decimal": reader.text8(), "comparator": comparator}
    if kind == "sampled":
        return {"kind": kind, "sampled": read_sampled(reader)}
    return {"kind": kind, "value": reader.flag()}


def read_observation(data):
    reader = Reader(data)
    need(reader.u8() == 1, "another version")
    channel, time = read_channel(reader), reader.text8()
    seconds(time)
    status = reader.choice(STATUSES)
    value = read_value(reader)
    reader.end()
    return {"channel": channel, "time": time, "status": status, "value": value}


def _text(text, size):
    data = text.encode("utf-8")
    need(len(data) < 1 << 8 * size, "text that is too long")
    return len(data).to_bytes(size, "big") + data


def _code(code):
    return _text(code["system"], 2) + _text(code["code"], 2)


def _value(value):
    kind = bytes([KINDS.index(value["kind"])])
    if value["kind"] == "missing":
        return kind + _text(value["reason"], 1) + _text(value["source"], 2)
    if value["kind"] == "quantity":
        return kind + bytes([COMPARATORS.index(value["comparator"])]) + _text(value["decimal"], 1)
    if value["kind"] == "boolean":
        return kind + bytes([value["value"]])
    sampled = value["sampled"]
    names = ("origin", "period", "factor", "lowerLimit", "upperLimit")
    decimals = b"".join(_text(sampled[name], 1) for name in names)
    return kind + decimals + sampled["dimensions"].to_bytes(2, "big") + _text(sampled["data"], 4)


def write_observation(observation):
    channel = observation["channel"]
    component = channel.get("component")
    named = b"\x01" + _code(component) if component else b"\x00"
    head = b"\x01" + _code(channel["code"]) + named + _text(channel["unit"], 1) + _text(observation["time"], 1)
    return head + bytes([STATUSES.index(observation["status"])]) + _value(observation["value"])


def salts(seed, count):
    stream = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor().update(bytes(16 * count))
    return [stream[16 * i : 16 * i + 16] for i in range(count)]


def leaves(seed, encoded):
    return [leaf_hash(salt + one) for salt, one in zip(salts(seed, len(encoded)), encoded)]
