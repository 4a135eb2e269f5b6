"""Strict reading of bytes: formats.md, section 1."""


class Refused(Exception):
    """What a reader refuses, with the code that formats.md gives it."""

    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


def malformed(why):
    return Refused("ERR_MALFORMED", why)


def need(condition, why, code="ERR_MALFORMED"):
    if not condition:
        raise Refused(code, why)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def bytes(self, size):
        need(self.at + size <= len(self.data), "bytes are missing")
        part = self.data[self.at : self.at + size]
        self.at += size
        return part

    def number(self, size):
        return int.from_bytes(self.bytes(size), "big")

    def u8(self):
        return self.number(1)

    def u16(self):
        return self.number(2)

    def u32(self):
        return self.number(4)

    def u48(self):
        return self.number(6)

    def u64(self):
        return self.number(8)

    def hex(self, size):
        return self.bytes(size).hex()

    def name(self, name):
        need(self.bytes(len(name)) == name.encode("ascii"), "another name")

    def flag(self):
        value = self.u8()
        need(value < 2, "a flag that is neither 0 nor 1")
        return value == 1

    def text(self, size_of_length):
        try:
            return self.bytes(self.number(size_of_length)).decode("utf-8")
        except UnicodeDecodeError:
            raise malformed("text that is not UTF-8") from None

    def text8(self):
        return self.text(1)

    def text16(self):
        return self.text(2)

    def text32(self):
        return self.text(4)

    def sized16(self):
        return self.bytes(self.u16())

    def sized32(self):
        return self.bytes(self.u32())

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            need(value < 2**53, "a varint above 2^53 - 1")
            if byte < 0x80:
                need(byte != 0 or shift == 0, "a varint longer than it must be")
                return value
            shift += 7
            need(shift < 56, "a varint above 2^53 - 1")

    def zigzag(self):
        value = self.varint()
        return -(value + 1) // 2 if value % 2 else value // 2

    def choice(self, names):
        value = self.u8()
        need(value < len(names), "a code that is not listed")
        return names[value]

    def rest(self):
        return self.bytes(len(self.data) - self.at)

    def end(self):
        need(self.at == len(self.data), "bytes are left over")
