"""Batch: formats.md, section 11."""

import datetime
import re

import zstandard

from .observation import COMPARATORS, KINDS, STATUSES, days, read_channel, read_sampled
from .reader import Reader, malformed, need

MOST_PLAIN = 67_108_864
MOST_ROWS = 1_048_576
MOST_MANTISSA = 10**15
EXACT = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]{1,15}))?\Z", re.ASCII)


def unpack(frame, length):
    """What one zstd frame holds, when it is `length` bytes and nothing lies around it."""
    need(frame[:4] == bytes.fromhex("28b52ffd"), "no zstd frame")
    try:
        need(zstandard.get_frame_parameters(frame).dict_id == 0, "a dictionary")
        stream = zstandard.ZstdDecompressor().decompressobj()
        out = bytearray()
        for at in range(0, len(frame), 1024):
            need(not stream.eof, "bytes behind the frame")
            out += stream.decompress(frame[at : at + 1024])
            need(len(out) <= length, "more than the stated length")
    except zstandard.ZstdError:
        raise malformed("no zstd frame") from None
    need(stream.eof and not stream.unused_data, "a frame that is cut, or bytes behind it")
    need(len(out) == length, "less than the stated length")
    return bytes(out)


def read_batch(data, base):
    reader = Reader(data)
    reader.name("medseal/batch/1\n")
    need(reader.u8() == 1, "another compression")
    length = reader.u32()
    need(length <= MOST_PLAIN, "more than 64 MiB")
    frame = reader.sized32()
    reader.end()
    return read_plain(unpack(frame, length), base)


def read_plain(plain, base):
    reader = Reader(plain)
    channels = [read_channel(reader) for _ in range(reader.u8())]
    need(len({repr(channel) for channel in channels}) == len(channels), "a channel twice")
    used, rows, chunks = [], 0, []
    for _ in range(reader.u8()):
        chunk = read_chunk(reader, channels, base, used, MOST_ROWS - rows)
        rows += len(chunk["observations"])
        chunks.append(chunk)
    reader.end()
    need(used == list(range(len(channels))), "channels in another order than that of first use")
    return chunks


def read_clock(reader):
    kind, text = reader.choice(("source", "start", "zone")), reader.text8()
    need(kind != "source" or text == "", "a text behind clock 0")
    return {"kind": kind} if kind == "source" else {"kind": kind, kind: text}


def read_form(reader):
    digits, offset = reader.u8(), reader.u16()
    need(digits <= 9, "more than nine digits")
    need(offset in (0x7FFE, 0x7FFF) or abs(offset - 0x4000) <= 840, "no such offset")
    return digits, offset


def note_use(used, index):
    if index not in used:
        used.append(index)


def read_chunk(reader, channels, base, used, most):
    seed, clock, rows = reader.hex(32), read_clock(reader), reader.u32()
    need(rows <= most, "too many rows")
    need(reader.u48() == base, "another base than the epoch's start")
    forms = [read_form(reader) for _ in range(reader.u8())]
    need(len(set(forms)) == len(forms), "a form of time twice")
    columns = [Reader(reader.sized32()) for _ in range(7)]
    forms_used, ticks, mantissas, observations = [], {}, {}, []
    for _ in range(rows):
        channel, form = columns[0].u8(), columns[2].u8()
        need(channel < len(channels), "no such channel")
        need(form < len(forms), "no such form of time")
        note_use(used, channel)
        note_use(forms_used, form)
        shape = columns[1].u8()
        tick = ticks.get(form, 0) + columns[3].zigzag()
        need(0 <= tick < 86400 * 10 ** forms[form][0], "a tick outside its day")
        ticks[form] = tick
        status, value = read_row_value(shape, channel, columns, mantissas)
        time = show_time(base, tick, *forms[form])
        observations.append({"channel": channels[channel], "time": time, "status": status, "value": value})
    for column in columns:
        column.end()
    need(forms_used == list(range(len(forms))), "forms of time in another order than that of first use")
    return {"seed": seed, "clock": clock, "observations": observations}


def read_row_value(shape, channel, columns, mantissas):
    kind, status, comparator = KINDS[shape & 3], shape >> 2 & 7, shape >> 5
    need(status < len(STATUSES), "no such status")
    need(comparator < len(COMPARATORS) and (comparator == 0 or kind == "quantity"), "no such comparator")
    rest = columns[6]
    if kind == "missing":
        value = {"kind": kind, "reason": rest.text8(), "source": rest.text16()}
    elif kind == "sampled":
        value = {"kind": kind, "sampled": read_sampled(rest)}
    elif kind == "boolean":
        value = {"kind": kind, "value": rest.flag()}
    else:
        value = {"kind": kind, "decimal": read_decimal(channel, columns, mantissas), "comparator": COMPARATORS[comparator]}
    return STATUSES[status], value


def read_decimal(channel, columns, mantissas):
    scale = columns[4].u8()
    if scale == 0xFF:
        text = columns[6].text8()
        need(not has_mantissa(text), "text where a mantissa would have done")
        return text
    need(scale <= 15, "no such scale")
    mantissa = mantissas.get(channel, 0) + columns[5].zigzag()
    need(abs(mantissa) < MOST_MANTISSA, "a mantissa of more than 15 digits")
    mantissas[channel] = mantissa
    digits = str(abs(mantissa)).rjust(scale + 1, "0")
    sign = "-" if mantissa < 0 else ""
    return sign + (digits[:-scale] + "." + digits[-scale:] if scale else digits)


def has_mantissa(text):
    found = EXACT.match(text)
    if not found:
        return False
    mantissa = int(found.group(2) + (found.group(3) or ""))
    return mantissa < MOST_MANTISSA and not (found.group(1) and mantissa == 0)


def show_time(base, tick, digits, offset):
    whole, fraction = divmod(tick, 10**digits)
    east = 0 if offset in (0x7FFE, 0x7FFF) else offset - 0x4000
    day, second = divmod(base + whole + east * 60, 86400)
    need(day <= days(9999, 12, 31), "a time after the year 9999")
    date = datetime.date.fromordinal(datetime.date(1970, 1, 1).toordinal() + day)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    point = f".{fraction:0{digits}}" if digits else ""
    if offset == 0x7FFF:
        zone = "Z"
    elif offset == 0x7FFE:
        zone = "-00:00"
    else:
        zone = f"{'-' if east < 0 else '+'}{abs(east) // 60:02}:{abs(east) % 60:02}"
    return f"{date.year:04}-{date.month:02}-{date.day:02}T{clock}{point}{zone}"
