/** Every verb with a line for the overview, by who uses it. Its file is `scripts/commands/VERB.ts`, with a hyphen between two words. */
export const GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "A world to try": {
    up: "start a local chain and an IPFS store",
    down: "end them",
    deploy: "deploy the contracts",
    fund: "give yourself ether there",
  },
  Meeting: {
    "keys new": "make an identity",
    "keys card": "write your contact card",
    "contacts add": "add somebody by their card",
    "contacts list": "whom you know",
    whoami: "which identity acts",
    status: "what is reached, what you have",
  },
  Patient: {
    "stream open": "open streams of data",
    "stream list": "which there are, and who writes them",
    "gateway authorize": "let a gateway record",
    "gateway lease": "make its lease",
    "gateway confirm": "note that it keeps the lease",
    "consent grant": "let somebody read",
    "consent list": "who may do what today",
    "consent sign": "sign one again that is not on the chain",
    "consent show": "one consent as it was signed",
    "consent revoke": "end one",
    "consent revoke-all": "end all",
    release: "send keys to who was granted",
    disclosures: "who was given keys, when and why",
  },
  Gateway: {
    "gateway accept": "take a lease",
    ingest: "take recordings in",
    "gateway anchor": "store and anchor what waits",
    "gateway post": "carry mail",
    "gateway heed": "heed a revocation at once",
    "gateway init": "write a configuration for the long-running gateway",
    "gateway check": "look whether it could run",
    "gateway run": "run it: a feed for devices, sealed and anchored at a cadence",
    "gateway status": "what is where",
  },
  Clinician: {
    "consent request": "ask a patient for leave to read",
    inbox: "look for what was sent to you",
    read: "read what was released to you",
    report: "draw it as a page with charts",
    prove: "prove one reading, or one header",
  },
  Auditor: {
    verify: "verify archive, window, batch or proof",
    audit: "the same as a report: page, JSON or FHIR",
    "evidence export": "put a window and what shows it into one file",
    "evidence verify": "verify such a file, without chain and store",
  },
  Anybody: {
    relay: "send signed grants and revocations to the chain",
    completion: "completion for your shell",
  },
};

export const VERBS: ReadonlyMap<string, string> = new Map(
  Object.values(GROUPS).flatMap((verbs) => Object.entries(verbs)),
);
