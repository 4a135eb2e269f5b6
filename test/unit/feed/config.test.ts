import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { entriesAtTime, parseConfig } from "../../../src/feed/config.ts";
import { credentialHash, newCredential, whose } from "../../../src/feed/credentials.ts";
import { ConfigError } from "../../../src/feed/errors.ts";

const EXAMPLE = new URL("../../../examples/gateway.json", import.meta.url);

const MONITOR = { address: "127.0.0.1:9312", credential: "monitor.credential" };

describe("a gateway's configuration", () => {
  let good: Record<string, unknown>;
  before(async () => {
    good = JSON.parse(await readFile(EXAMPLE, "utf8")) as Record<string, unknown>;
  });

  const changed = (change: object): string => JSON.stringify({ ...good, ...change });

  it("is read as the example has it", async () => {
    const config = parseConfig(await readFile(EXAMPLE, "utf8"));
    expect(config).to.deep.include({
      http: { host: "127.0.0.1", port: 9311 },
      seal: 60,
      anchor: 600,
      skew: 300,
      grace: 60,
      maxFee: 200n * 10n ** 9n,
      attest: false,
    });
    expect(parseConfig(changed({ attest: true })).attest).to.equal(true);
    expect(config.monitor).to.equal(undefined);
    expect(parseConfig(changed({ monitor: MONITOR })).monitor).to.deep.equal({
      at: { host: "127.0.0.1", port: 9312 },
      credential: "monitor.credential",
      keep: 3600,
    });
    expect(config.sources.flatMap(({ devices }) => devices.map(({ name }) => name))).to.deep.equal([
      "monitor-7",
      "pump-2",
      "patch-1",
    ]);
    expect(entriesAtTime(config, 0)).to.equal(64);
    expect(entriesAtTime(config, Date.parse("2027-07-01T00:00:00Z") / 1000)).to.equal(128);
  });

  const source = (): object => (good["sources"] as object[])[0] as object;
  const refusals: readonly (readonly [string, string, () => object])[] = [
    ["an unknown member", "the whole", () => ({ cadences: 1 })],
    ["another format", "format", () => ({ format: "medseal-gateway/2" })],
    ["a cadence below a minute", "cadence.seal", () => ({ cadence: { seal: "59s", anchor: "10min" } })],
    ["a cadence above an hour", "cadence.anchor", () => ({ cadence: { seal: "1min", anchor: "61min" } })],
    ["sealing less often than anchoring", "cadence", () => ({ cadence: { seal: "10min", anchor: "1min" } })],
    ["a port for everybody", "http", () => ({ http: "0.0.0.0:9311" })],
    ["a feed for everybody", "feed", () => ({ feed: "192.168.0.2:1" })],
    ["health on a socket", "http", () => ({ http: "health.sock" })],
    [
      "entries that fall",
      "entries",
      () => ({
        entries: [
          { from: "2026-01-01", count: 64 },
          { from: "2027-01-01", count: 32 },
        ],
      }),
    ],
    ["a fee of nothing", "maxFeeGwei", () => ({ maxFeeGwei: 0 })],
    ["proofs that may be", "attest", () => ({ attest: "maybe" })],
    ["a monitor elsewhere", "monitor.address", () => ({ monitor: { ...MONITOR, address: "10.0.0.1:9312" } })],
    ["a monitor without a credential", "monitor.credential", () => ({ monitor: { address: "monitor.sock" } })],
    [
      "readings that outlive their keys",
      "monitor.keep",
      () => ({ lateness: "2h", monitor: { ...MONITOR, keep: "3h" } }),
    ],
    ["no sources", "sources", () => ({ sources: [] })],
    ["a source twice", "sources", () => ({ sources: [source(), source()] })],
    ["a credential in clear", "sources[0].credential", () => ({ sources: [{ ...source(), credential: "secret" }] })],
    [
      "a device's name that breaks a log",
      "sources[0].devices[0]",
      () => ({ sources: [{ ...source(), devices: ['a"b'] }] }),
    ],
  ];
  for (const [what, member, change] of refusals)
    it(`refuses ${what}, and names the member`, () => {
      expect(() => parseConfig(changed(change())))
        .to.throw(ConfigError)
        .with.property("message")
        .that.satisfies((message: string) => message.startsWith(`gateway configuration, ${member}:`));
    });

  it("tells sources by their credentials", () => {
    const credentials = [newCredential(), newCredential(), newCredential()];
    const entries = credentials.map((one, name) => ({ name, credential: credentialHash(one) }));
    for (const [i, credential] of credentials.entries()) expect(whose(entries, credential)?.name).to.equal(i);
    for (const wrong of ["", "x", credentials.join(""), entries[0]!.credential])
      expect(whose(entries, wrong)).to.equal(undefined);
  });
});
