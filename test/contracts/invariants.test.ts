import { expect } from "chai";
import { campaign } from "./campaign/campaign.ts";

// Whatever relayers reorder, withhold, replay and forge; whatever the code of a signer does, be it a wallet that reverts, burns its gas,
// floods, answers junk, says yes to everything or calls back, or an account delegated by EIP-7702 to such code; and whoever else calls:
//
// ConsentRegistry
//  1. A consent is active iff it was granted, is not revoked, and was issued after its grantor's `endedBefore`; every call ends as the
//     model says, and leaves the entry that the model has.
//  2. A grantor's `endedBefore` never falls.
//  3. A revoked entry never changes again.
//  4. `issuedAt` and `grantedAt` of an entry never fall; no entry lies in the future, but for the 15 minutes that an issue time may.
//  5. A grantor's state changes by what that grantor sent or signed, and by nothing else.
//  6. A signed message does something once at most.
//  7. Which consents are active follows from the set of messages that counted, whatever their order.
//  8. A refused call changes nothing and emits nothing.
//  9. Every change has its event and every event its change: what the events say is the storage, to the last slot.
// 10. A batch never reverts. It does with each item in its turn what the single function would do, but takes no contract's word, and
//     answers each with the error that the single function would throw.
// 11. What an item of a batch costs is bounded by its own calldata and effects: no code of a signer runs.
// 12. A single message costs its relayer at most 1.15 million gas, whatever the signer's code does.
// 13. A wallet that never says yes has the state that its own transactions gave it.
// 14. The own key of an account counts, delegated or not.
// 15. Ether is refused, and none is held.
//
// RecordAnchor
// 16. A head moves only by its own gateway's transaction that names it.
// 17. No head comes back, and no transaction anchors twice.
// 18. A head is the fold of the gateway's checkpoints.
// 19. An entry once anchored is shown at every later head: under its gateway, at its index, and nowhere else
//     but under a gateway that has anchored all the same.
//
// 13 and 14 follow from 1, since the model takes a signature by who made it and knows nothing of forms.

const SEED = Number(process.env["MEDSEAL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const CALLS = Number(process.env["MEDSEAL_CALLS"] ?? 3_000);
/** Fewer calls than these need not meet everything. */
const ENOUGH = 5_000;

describe("contracts among hostile actors", () => {
  it(`keep 19 invariants, and the models' state at each step (${CALLS} calls, MEDSEAL_SEED=${SEED})`, async () => {
    const { violations, met, calls } = await campaign(CALLS, SEED);
    expect(violations).to.deep.equal([]);
    expect(calls).to.equal(CALLS);
    if (calls < ENOUGH) return;
    for (const what of [
      ...["single", "batched"].flatMap((how) =>
        ["ConsentGranted", "ConsentRevoked", "nothing", "ConsentSignatureInvalid", "ConsentIssuedInFuture"]
          .concat(["ConsentDeadlinePassed", "ConsentDeadlineTooLate", "ConsentIssuedBeforeRevokeAll"])
          .concat(["ConsentRevokedAlready", "ConsentGrantedAlready"])
          .map((outcome) => `${how} key ${outcome}`),
      ),
      ...["ConsentGranted", "ConsentRevoked", "AllConsentsRevoked"].map((outcome) => `single contract ${outcome}`),
      ...["batched contract ConsentSignatureInvalid", "single key AllConsentsRevoked", "nonsense", "shown"],
      ...["CheckpointAnchored", "CheckpointHeadMismatch", "CheckpointEmpty"],
    ]) {
      expect(met[what] ?? 0, what).to.be.above(0);
    }
    for (const what of ["ConsentGranted", "ConsentRevoked"])
      expect(met[`batched contract ${what}`]).to.equal(undefined);
  });
});
