import { expect } from "chai";
import { keepApart, letGo, quarantineOf } from "../../../src/feed/quarantine.ts";
import { FeedJournal, type Arrival, type Row } from "../../../src/feed/state.ts";
import { LOOSE } from "../../../src/feed/seen.ts";
import { inOrder, Journal } from "../../../src/state/journal.ts";
import { PaperRows } from "../../integration/rig.ts";

const KEY = new Uint8Array(32).fill(3);

describe("what a feed remembers", () => {
  let rows: PaperRows;
  let journal: FeedJournal;
  const opened = (): FeedJournal => new FeedJournal(new Journal(rows, KEY));
  const arrival = (device: string, counter: number): Arrival => ({
    device,
    counter,
    groups: [],
    seen: {
      digest: `${device} ${counter}`,
      place: counter,
      received: 1,
      sent: undefined,
      skew: undefined,
      quarantined: 0,
    },
  });

  /** As a commit of the intake does it. */
  async function take(row: Row): Promise<void> {
    const { rows: number } = journal.state.position;
    let folded = (): void => undefined;
    await journal.write(
      () => {
        folded = journal.seen.fold();
        journal.state.rows.set(inOrder(number), row);
        journal.state.move({ rows: number + 1 });
      },
      () => {
        folded();
        journal.seen.keep(number, row);
      },
    );
  }

  beforeEach(() => {
    rows = new PaperRows();
    journal = opened();
  });

  it("is known again after a new start, on pages or not yet, and nothing else is", async () => {
    const many = 2 * LOOSE;
    for (let counter = 0; counter < many; counter++) {
      const rare = counter % 100 === 0 ? [arrival("rare", counter)] : [];
      await take([arrival("m", counter), arrival("p", 2 * counter), ...rare]);
    }
    const { folded, rows: end } = journal.state.position;
    expect(folded, "some are on pages and others not, of one row").to.be.within(1, end - 1);
    for (const book of [journal.seen, opened().seen]) {
      for (const counter of [0, 63, 64, folded - 1, folded, folded + 1, many - 1]) {
        expect(book.get("m", counter)?.digest).to.equal(`m ${counter}`);
        expect(book.get("p", 2 * counter)?.digest).to.equal(`p ${2 * counter}`);
      }
      for (const [device, counter] of [
        ["m", many],
        ["p", 3],
        ["q", 0],
        ["rare", 50],
      ] as const)
        expect(book.get(device, counter)).to.equal(undefined);
      expect(book.device("p")).to.deep.equal({ highest: 2 * many - 2, messages: many, received: 1 });
      expect(book.device("rare")).to.deep.include({ messages: Math.ceil(many / 100) });
    }
  });

  it("never has more than some on no page, whoever sends", async () => {
    const devices = 500;
    for (let i = 0; i < 3 * LOOSE; i += 8)
      await take(Array.from({ length: 8 }, (_, k) => arrival(`m${(i + k) % devices}`, Math.floor((i + k) / devices))));
    const { folded, rows: end } = journal.state.position;
    expect(8 * (end - folded)).to.be.within(1, 2 * LOOSE + devices);
    const book = opened().seen;
    for (let i = 0; i < 3 * LOOSE; i++)
      expect(book.get(`m${i % devices}`, Math.floor(i / devices))?.place).to.equal(Math.floor(i / devices));
  });

  it("is forgotten by counters, and no others with them", async () => {
    for (let counter = 0; counter < 130; counter++) await take([arrival("m", counter)]);
    let folded = (): void => undefined;
    await journal.write(
      () => (folded = journal.seen.fold(0)),
      () => folded(),
    );
    await journal.write(() => journal.seen.forget("m", 10, 100));
    const known = Array.from({ length: 130 }, (_, i) => i).filter((counter) => opened().seen.get("m", counter));
    expect(known).to.deep.equal([...Array(10).keys(), ...Array.from({ length: 29 }, (_, i) => 101 + i)]);
  });

  it("keeps its quarantine sealed at rest, and lets go of single rows for good", async () => {
    const held = (code: string) => ({ key: "a stream", code, observations: [] });
    await journal.write(() => ["ERR_A", "ERR_B", "ERR_C"].forEach((code) => keepApart(journal, held(code))));
    expect([...rows.rows.values()].some(({ value }) => Buffer.from(value).includes("ERR_A"))).to.equal(false);
    await letGo(journal, [1]);
    expect([...quarantineOf(opened())]).to.deep.equal([
      [0, held("ERR_A")],
      [2, held("ERR_C")],
    ]);
    expect(opened().state.position).to.include({ quarantined: 3, kept: 2 });
    const before = rows.rows.size;
    await letGo(journal, [0, 2]);
    expect(rows.rows.size).to.equal(before - 2);
  });
});
