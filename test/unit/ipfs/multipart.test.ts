import { expect } from "chai";
import fc from "fast-check";
import { concat, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { RpcError } from "../../../src/ipfs/rpc/errors.ts";
import { parts } from "../../../src/ipfs/rpc/multipart.ts";
import { failure } from "./support.ts";

const TYPE = "multipart/form-data; boundary=edge";
const HEAD = 'Content-Disposition: form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream';

async function* chunks(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield await Promise.resolve(body.subarray(at, at + size));
}

async function read(body: Uint8Array, { type = TYPE, limit = 10_000, size = 7 } = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const part of parts(chunks(body, size), type, limit)) found.push(hex(part));
  return found;
}

const body = (...files: Uint8Array[]): Uint8Array =>
  concat(...files.flatMap((file) => [utf8(`--edge\r\n${HEAD}\r\n\r\n`), file, utf8("\r\n")]), utf8("--edge--\r\n"));

describe("multipart body", () => {
  it("gives back every file, wherever the body is cut into chunks", async () => {
    // Bytes of the boundary itself are drawn often, as that is where a scanner goes wrong.
    const byte = fc.oneof(fc.constantFrom(...utf8("\r\n--edge")), fc.nat(255));
    const file = fc.array(byte, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes));
    const whole = file.filter(
      (bytes) => !Buffer.from(concat(utf8("\r\n"), bytes, utf8("\r\n"))).includes("\r\n--edge"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(whole, { maxLength: 4 }), fc.integer({ min: 1, max: 90 }), async (files, size) => {
        expect(await read(body(...files), { size })).to.deep.equal(files.map(hex));
      }),
      { numRuns: 300 },
    );
  });

  it("may have a preamble, an epilogue, a quoted boundary, and parts without headers", async () => {
    const text = "hello\r\n--edge\r\n\r\none\r\n--edge\r\nA: b\r\n\r\ntwo\r\n--edge--\r\nbye";
    const type = 'Multipart/Form-Data; charset=utf-8; boundary="edge"';
    expect(await read(utf8(text), { type })).to.deep.equal(["one", "two"].map((part) => hex(utf8(part))));
  });

  it("takes a file of the limit and refuses one byte more, before it has read the rest", async () => {
    expect(await read(body(new Uint8Array(100)), { limit: 100 })).to.have.length(1);
    let seen = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield utf8(`--edge\r\n${HEAD}\r\n\r\n`);
      for (;;) yield await Promise.resolve(new Uint8Array(((seen += 50), 50)));
    }
    const work = (async () => {
      for await (const _ of parts(endless(), TYPE, 100));
    })();
    expect((await failure(work, RpcError)).message).to.equal("the block is over 100 bytes: too big");
    expect(seen).to.be.lessThan(400);
  });

  const wrong: Record<string, { body: Uint8Array; type?: string | undefined }> = {
    "no body": { body: new Uint8Array(0) },
    "no boundary in it": { body: utf8("x".repeat(50)) },
    "a preamble without end": { body: utf8("x".repeat(5000)) },
    "a header without end": { body: utf8(`--edge\r\n${"x".repeat(20_000)}`) },
    "its end cut off": { body: body(utf8("abc")).subarray(0, -6) },
    "no second boundary": { body: utf8(`--edge\r\n${HEAD}\r\n\r\nabc`) },
    "another type": { body: body(utf8("abc")), type: "application/json" },
    "no type": { body: body(utf8("abc")), type: undefined },
    "no boundary in its type": { body: body(utf8("abc")), type: "multipart/form-data" },
    "a boundary above any length": { body: body(utf8("abc")), type: `${TYPE}${"x".repeat(300)}` },
  };
  for (const [name, { body, ...options }] of Object.entries(wrong)) {
    it(`is refused with ${name}`, async () => {
      const type = "type" in options ? options.type : TYPE;
      const work = (async () => {
        for await (const _ of parts(chunks(body, 64), type, 10_000));
      })();
      await failure(work, RpcError);
    });
  }
});
