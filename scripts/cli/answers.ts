import { UsageError, MalformedError } from "../../src/errors.ts";
import { ACTS, signAnswer, type Act, type SignedAnswer } from "../../src/monitor/answer.ts";
import type { HpkeKeyPair } from "../../src/seal/hpke.ts";
import type { HDNodeWallet } from "ethers";
import { deployedAt } from "../../src/chain/deployment.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { signOnce } from "../../src/monitor/once.ts";
import { withChain } from "./chain.ts";
import type { Call, OptionSpec } from "./command.ts";
import { checkNew, readUserText, writeNew } from "./files.ts";
import { withIdentity } from "./home.ts";
import { openLetter, sealLetter } from "./letter.ts";
import { contactNamed, walletOf } from "./patient.ts";
import { OWN_ADDRESS } from "./vault.ts";

const ANSWER = { name: "answer", sizes: [1024] };

/** @throws LetterError, MalformedError. Whose signature it is the plan says. */
export async function openAnswer(bytes: Uint8Array, keys: HpkeKeyPair): Promise<SignedAnswer> {
  const text = await openLetter(ANSWER, bytes, keys);
  let signed: Partial<SignedAnswer>;
  try {
    signed = (JSON.parse(text) ?? {}) as Partial<SignedAnswer>;
  } catch {
    throw new MalformedError("answer", 0, "not JSON");
  }
  const { answer, signature, onChain } = signed;
  const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (
    typeof signature !== "string" ||
    (onChain !== undefined && typeof onChain !== "string") ||
    typeof answer?.alert !== "string" ||
    !ACTS.includes(answer.act) ||
    ![answer.until, answer.level, answer.at].every(isWhole)
  )
    throw new MalformedError("answer", 0, "a field is missing or not as it should be");
  const { alert, act, until, level, at } = answer;
  const also = onChain === undefined ? {} : { onChain };
  return { answer: { alert, act, until, level, at }, signature, ...also };
}

export const ANSWERING: Readonly<Record<string, OptionSpec>> = {
  to: { type: "string", value: "NAME", help: "the monitor that asked: a contact", required: true },
  at: { type: "string", value: "INSTANT", help: "when, for a recording that is replayed; now without it" },
  out: {
    type: "string",
    value: "FILE",
    help: "where the sealed answer goes; its name ends in .answer",
    required: true,
  },
};

/** Signs for the chain what a notice tells of; without a word to any node. @throws UsageError. */
async function acknowledgeOnChain(signer: HDNodeWallet, alert: string, file: string, gateway: Hex): Promise<string> {
  const raise = (await readUserText(file))
    .split("\n")
    .filter((line) => line.includes(JSON.stringify(alert)))
    .map((line) => JSON.parse(line) as Notice)
    .findLast((notice) => notice.alert === alert && notice.onChain)?.onChain;
  if (raise === undefined)
    throw new UsageError("no notice there says that this alert stands on chain for you", {
      hint: "the plan names who answers there; take the file that your notices go to",
    });
  return withChain(({ deployment }) => {
    const { address: contract } = deployedAt(deployment, "AlertRules");
    const place = { chainId: deployment.chainId, contract, gateway, slot: raise.slot };
    return signOnce(signer.privateKey as Hex, raise, place);
  });
}

/** Signs what the caller says to an alert, and seals it to the monitor. */
export async function answer(call: Call, act: Act, { until, level }: { until: number; level: number }): Promise<void> {
  const alert = call.word("alert");
  if (!/^[0-9a-f]{8}\/.+\/\d+$/.test(alert))
    throw new UsageError("this is no name of an alert", {
      hint: "copy it from the notice: 1a2b3c4d/rule/1772352000000",
    });
  const out = call.need("out");
  if (!out.endsWith(".answer")) throw new UsageError("the file of an answer is called something.answer");
  const at = call.text("at") === undefined ? Date.now() : Date.parse(call.need("at"));
  if (!Number.isSafeInteger(at) || at <= 0)
    throw new UsageError("--at is no instant", { hint: "write 2026-03-01T08:00:00Z" });
  if (until !== 0 && until <= at) throw new UsageError("the snooze would be over already");
  await withIdentity(call, async ({ vault }) => {
    const monitor = contactNamed(vault, call.need("to"));
    await checkNew(out);
    const signer = walletOf(vault).signer(OWN_ADDRESS);
    const signed = await signAnswer(signer, { alert, act, until, level, at });
    const notice = call.text("notice");
    const also =
      notice === undefined ? {} : { onChain: await acknowledgeOnChain(signer, alert, notice, monitor.address) };
    await writeNew(out, await sealLetter(ANSWER, JSON.stringify({ ...signed, ...also }), monitor));
    call.io.result(
      { file: out, ...signed.answer },
      `Signed, in ${out}: it counts once it lies in the folder that ${monitor.name} looks into (--answers).`,
    );
  });
}
