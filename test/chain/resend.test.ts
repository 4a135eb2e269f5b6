import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { HDNodeWallet, type JsonRpcProvider } from "ethers";
import { random } from "../../src/bytes/random.ts";
import {
  anchorCheckpoint,
  anchoredCheckpoints,
  FIRST_HEAD,
  headOf,
  type CheckpointAnchor,
} from "../../src/chain/anchor.ts";
import { ChainUnavailableError } from "../../src/chain/errors.ts";
import { bumped, type ResendOptions, type SentTransaction, type TransactionBook } from "../../src/chain/resend.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { parseState, stringifyState } from "../../src/state/json.ts";
import { startAnvil, type Anvil } from "./anvil.ts";
import { failureOf } from "./failure.ts";
import { deployOn, type Ground } from "./ground.ts";

const PHRASE = "test test test test test test test test test test test junk";
const GWEI = 1_000_000_000n;

/** What a journal keeps: nothing but its text outlives a process. */
class PaperBook implements TransactionBook {
  text = "";
  /** Told after each note; may end the process by throwing. */
  noted: () => void = () => undefined;

  get(): SentTransaction | undefined {
    return this.text === "" ? undefined : (parseState(this.text) as SentTransaction);
  }

  note(sent: SentTransaction): Promise<void> {
    this.text = stringifyState(sent);
    return new Promise((resolve) => resolve(this.noted()));
  }

  get tries(): SentTransaction["tries"] {
    return this.get()?.tries ?? [];
  }
}

describe("a transaction that is sent until its effect is there", () => {
  let anvil: Anvil;
  let rpc: JsonRpcProvider;
  let ground: Ground;
  let wallets = 1;
  let signer: HDNodeWallet;
  let book: PaperBook;
  let checkpoint: CheckpointAnchor;
  /** Unix milliseconds of the sender's clock, which goes on only when a test says so. */
  let clock = Date.now();

  before(async () => {
    anvil = await startAnvil();
    rpc = anvil.provider;
    ground = await deployOn(rpc, await rpc.getSigner(0), 7331);
  });
  after(() => anvil.stop());
  beforeEach(() => {
    signer = HDNodeWallet.fromPhrase(PHRASE, undefined, `m/44'/60'/0'/0/${wallets++}`).connect(rpc);
    book = new PaperBook();
    checkpoint = { root: random(32), digest: random(32), size: 8 };
  });
  afterEach(async () => {
    await rpc.send("anvil_dropAllTransactions", []);
    await rpc.send("anvil_setNextBlockBaseFeePerGas", ["0x3b9aca00"]);
    await mines(true);
    await rpc.send("evm_mine", []);
  });

  const address = (): Hex => signer.address as Hex;
  const mines = (on: boolean): Promise<unknown> => rpc.send("evm_setAutomine", [on]);
  const anchor = (options: ResendOptions = {}) =>
    anchorCheckpoint(checkpoint, FIRST_HEAD, signer, rpc, ground.deployment, {
      book,
      now: () => clock,
      ...options,
    });
  const history = () => anchoredCheckpoints(rpc, ground.deployment, address());
  const nonce = () => rpc.getTransactionCount(signer.address);

  /** Looks again and again until it is so. */
  async function until(so: () => boolean | Promise<boolean>): Promise<void> {
    for (let looks = 0; !(await so()); looks++) {
      if (looks > 1000) throw new Error("it did not come to that");
      await pause(10);
    }
  }

  /** The book knows a try before the node does. */
  const untilSent = (tries: number): Promise<void> =>
    until(async () => (await rpc.getTransaction(book.tries[tries - 1]?.hash as string)) !== null);

  it("is in the book with nonce and hash before it leaves, and sent as it is after a crash", async () => {
    book.noted = () => {
      throw new Error("killed");
    };
    expect(await failureOf(anchor())).to.have.property("message", "killed");
    const [written] = book.tries;
    expect(await rpc.getTransaction(written?.hash as string)).to.equal(null);
    book.noted = () => undefined;
    expect(await anchor()).to.include({ status: "mined", transaction: written?.hash });
    expect(book.tries).to.deep.equal([written]);
  });

  it("pays at least 10 % more each time it is stuck, under the same nonce, and is anchored once", async () => {
    await mines(false);
    const anchored = anchor({ stuckAfter: 1000 });
    await until(() => book.tries.length === 1);
    for (let tries = 2; tries <= 4; tries++) {
      clock += 2000;
      await until(() => book.tries.length === tries);
    }
    await untilSent(4);
    await mines(true);
    await rpc.send("evm_mine", []);
    const done = await anchored;
    const { tries } = book;
    expect(done).to.include({ status: "mined", transaction: tries.at(-1)?.hash });
    for (const [i, { maxFee, tip = 0n }] of tries.slice(1).entries()) {
      const before = tries[i];
      expect(maxFee * 10n >= (before?.maxFee ?? 0n) * 11n, "fee").to.equal(true);
      expect(tip * 10n >= (before?.tip ?? 0n) * 11n, "tip").to.equal(true);
    }
    expect(await nonce()).to.equal(1);
    expect(await history()).to.have.length(1);
  });

  it("pays what the chain asks by now, up to the ceiling, and no more", async () => {
    await mines(false);
    const ceiling = 40n * GWEI;
    const first = failureOf(anchor({ stuckAfter: 1000, waitMs: 3000, ceiling }));
    await until(() => book.tries.length === 1);
    await rpc.send("anvil_setNextBlockBaseFeePerGas", [`0x${(100n * GWEI).toString(16)}`]);
    await rpc.send("evm_mine", []);
    clock += 2000;
    await until(() => book.tries.length === 2);
    expect(book.tries[1]?.maxFee).to.equal(ceiling);
    clock += 2000;
    expect(await first).to.be.instanceOf(ChainUnavailableError);
    expect(book.tries, "nothing above the ceiling").to.have.length(2);
    expect(await history()).to.have.length(0);
    // Another process, when gas is cheap again.
    await rpc.send("anvil_setNextBlockBaseFeePerGas", [`0x${GWEI.toString(16)}`]);
    await rpc.send("evm_mine", []);
    await mines(true);
    expect((await anchor({ stuckAfter: 1e9, ceiling })).status).to.equal("mined");
    expect(book.tries).to.have.length(2);
    expect([await nonce(), (await history()).length]).to.deep.equal([1, 1]);
  });

  it("is sent again as it is when nodes drop it", async () => {
    await mines(false);
    const anchored = anchor({ stuckAfter: 1e9 });
    await until(() => book.tries.length === 1);
    const hash = book.tries[0]?.hash as string;
    await untilSent(1);
    await rpc.send("anvil_dropTransaction", [hash]);
    await untilSent(1);
    await rpc.send("evm_mine", []);
    expect(await anchored).to.include({ status: "mined", transaction: hash });
    expect(await history()).to.have.length(1);
  });

  it("takes another nonce when its own was used for something else", async () => {
    await mines(false);
    const anchored = anchor({ stuckAfter: 1e9 });
    await until(() => book.tries.length === 1);
    const fees = { maxFeePerGas: 300n * GWEI, maxPriorityFeePerGas: 50n * GWEI };
    await signer.sendTransaction({ to: signer.address, value: 0n, nonce: 0, gasLimit: 21_000n, ...fees });
    await mines(true);
    await rpc.send("evm_mine", []);
    expect(await anchored).to.have.property("status", "mined");
    expect([book.get()?.nonce, await nonce(), (await history()).length]).to.deep.equal([1, 2, 1]);
  });

  it("is sent again as it is when a reorganisation took it back", async () => {
    const first = await anchor();
    const hash = book.tries[0]?.hash as Hex;
    expect(first).to.include({ transaction: hash });
    await rpc.send("anvil_reorg", [1, []]);
    await rpc.send("anvil_dropAllTransactions", []);
    expect(await headOf(rpc, ground.deployment, address())).to.deep.equal(FIRST_HEAD);
    expect(await anchor()).to.include({ status: "mined", transaction: hash });
    expect(await anchor()).to.deep.equal({ status: "already" });
    expect([await nonce(), (await history()).length]).to.deep.equal([1, 1]);
  });

  it("pays nothing more when the ceiling leaves less than a node would take", () => {
    const fees = (maxFee: bigint, tip: bigint) => ({ maxFee, tip });
    const [last, market] = [fees(100n, 10n), fees(50n, 5n)];
    expect(bumped(last, market, 1000n)).to.deep.equal(fees(112n, 12n));
    expect(bumped(last, fees(400n, 5n), 1000n)).to.deep.equal(fees(400n, 12n));
    expect(bumped(last, market, 110n)).to.deep.equal(fees(110n, 12n));
    expect(bumped(last, market, 109n)).to.equal(undefined);
  });
});
