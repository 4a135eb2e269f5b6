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
    "consent show": "one consent as it was signed",
    "consent revoke": "end one",
    "consent revoke-all": "end all",
    release: "send keys to who was granted",
    plan: "say which rules watch over you, and who answers",
    "plan show": "a care plan in words",
  },
  Gateway: {
    "gateway accept": "take a lease",
    ingest: "take recordings in",
    "gateway anchor": "store and anchor what waits",
    "gateway post": "carry mail",
    "gateway heed": "heed a revocation at once",
    monitor: "watch over patients by their plans",
  },
  Clinician: {
    "consent request": "ask a patient for leave to read",
    inbox: "look for what was sent to you",
    read: "read what was released to you",
  },
  Alerts: {
    "rules define": "define an alert rule",
    "rules list": "which rules there are",
    "rules show": "one rule in words",
    "rules test": "try a rule on a recording",
    "rules publish": "put a rule into the public library",
    "alerts list": "alerts of a patient",
    "alerts show": "one alert, step by step",
    "alerts ack": "say that you have taken it up",
    "alerts resolve": "say that it is over",
    "alerts snooze": "ask for silence for a while",
    "alerts verify": "work an alert out again",
  },
  Auditor: {
    verify: "verify archive, window or reading",
    "audit alerts": "what was missed, false, late or unanswered",
  },
  Anybody: {
    relay: "send signed grants and revocations to the chain",
    completion: "completion for your shell",
  },
};

export const VERBS: ReadonlyMap<string, string> = new Map(
  Object.values(GROUPS).flatMap((verbs) => Object.entries(verbs)),
);
