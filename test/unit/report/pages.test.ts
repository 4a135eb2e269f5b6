import { expect } from "chai";
import type { Finding } from "../../../src/auditor/findings.ts";
import type { Flag } from "../../../src/auditor/plausible.ts";
import type { Channel } from "../../../src/observation/observation.ts";
import { auditPage } from "../../../src/report/audit.ts";
import { html, named } from "../../../src/report/html.ts";
import { readingsPage } from "../../../src/report/readings.ts";
import {
  ALERTS,
  alertRecord,
  archiveAudit,
  checkpoints,
  finding,
  FINDINGS,
  HEART_RATE,
  HOSTILE,
  report,
  section,
  windowAudit,
} from "./samples.ts";

const hostileFinding: Finding = { ...finding("altered", 1, 2), text: HOSTILE };
const hostileFlag: Flag = {
  kind: "unit",
  time: HOSTILE,
  code: HOSTILE,
  unit: HOSTILE,
  value: HOSTILE,
  batch: HOSTILE,
};
const hostileChannel: Channel = {
  code: { system: HOSTILE, code: HOSTILE },
  component: { system: HOSTILE, code: HOSTILE },
  unit: HOSTILE,
};
const hostileEvents = ALERTS.events.map((event) => ({
  ...event,
  ...("alert" in event ? { alert: `${HOSTILE}/${event.at}` } : {}),
  ...("to" in event ? { to: HOSTILE } : {}),
  ...("by" in event ? { by: HOSTILE } : {}),
})) as typeof ALERTS.events;
const hostileAlerts: typeof ALERTS = {
  ...ALERTS,
  events: hostileEvents,
  silences: ALERTS.silences.map((silence) => ({ ...silence, rule: HOSTILE })),
  findings: [{ kind: "forged", text: HOSTILE }],
};

const NO_ALERTS = alertRecord({ events: [] });

const MADE: Readonly<Record<string, string>> = {
  readings: readingsPage(report()),
  "readings without alerts in UTC": readingsPage(report({ alerts: NO_ALERTS, zone: "UTC" })),
  "hostile readings": readingsPage(
    report({
      patient: HOSTILE,
      viewer: HOSTILE,
      streams: [{ ...section(HOSTILE, hostileChannel, 70, [hostileFinding]), gateways: [HOSTILE] }],
      alerts: hostileAlerts,
    }),
  ),
  "a clean archive": auditPage(archiveAudit(), "Europe/Berlin"),
  "an archive with findings": auditPage(archiveAudit(FINDINGS), "America/New_York"),
  "a hostile window": auditPage(
    { ...windowAudit([hostileFinding], HOSTILE, HOSTILE), by: HOSTILE, flags: [hostileFlag] },
    "UTC",
  ),
};

/** White space in a row counts as one. */
const PAGES = Object.fromEntries(Object.entries(MADE).map(([name, page]) => [name, page.replace(/\s+/g, " ")]));

/** Names of all tags, and of all attributes. */
const parts = (page: string): { tags: Set<string>; attributes: Set<string> } => {
  const tags = [
    ...page
      .replace(/<style>[^]*?<\/style>/g, "")
      .matchAll(/<([a-z][a-z0-9]*)((?:\s+[a-z][a-z0-9-]*(?:="[^"<>]*")?)*)\s*\/?>/gi),
  ];
  const attributes = tags.flatMap(([, , text = ""]) =>
    [...text.matchAll(/([a-z][a-z0-9-]*)="/gi)].map(([, name]) => name ?? ""),
  );
  return { tags: new Set(tags.map(([, name = ""]) => name)), attributes: new Set(attributes) };
};

const TAGS = (
  "html head meta title style body header main footer section h1 h2 h3 p div dl dt dd ul li q br strong span bdi figure figcaption " +
  "table caption thead tbody tr th td svg desc defs pattern g path rect line text"
).split(" ");

describe("pages of readings and of audits", () => {
  for (const [name, page] of Object.entries(PAGES)) {
    it(`${name}: asks nothing of anybody, runs nothing, and holds only what it means to`, () => {
      const { tags, attributes } = parts(page);
      expect([...tags].filter((tag) => !TAGS.includes(tag))).to.deep.equal([]);
      for (const attribute of ["src", "href", "srcset", "action", "data", "style", "xlink:href"])
        expect(attributes.has(attribute), attribute).to.equal(false);
      expect([...attributes].filter((attribute) => attribute.startsWith("on"))).to.deep.equal([]);
      // What a style could fetch; a fill names a pattern of the page itself.
      expect(page.match(/url\((?!#)|@import|expression\(/g)).to.equal(null);
      expect(page).to.include(
        `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`,
      );
      // Every < begins a tag of ours, or ends one.
      const rest = page.replace(
        /<\/?[a-z][a-z0-9]*(?:\s+[a-z][a-z0-9-]*(?:="[^"<>]*")?)*\s*\/?>|<!doctype html>/gi,
        "",
      );
      expect(rest.replace(/[^]*?<\/style>/, "")).to.not.match(/[<]/);
      expect(page).to.not.match(UNSEEN);
    });

    it(`${name}: can be read aloud`, () => {
      expect(page).to.match(/^<!doctype html> <html lang="en">/);
      expect(page).to.match(/<title>[^<]+<\/title>/);
      expect(page.match(/<h1>/g)).to.have.length(1);
      const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? "");
      expect(new Set(ids).size, "ids are unique").to.equal(ids.length);
      const drawings = [...page.matchAll(/<svg [^>]*role="img" aria-labelledby="([^"]+)"/g)];
      expect(drawings.length).to.equal(page.match(/<svg/g)?.length);
      for (const [, labels = ""] of drawings) for (const label of labels.split(" ")) expect(ids).to.include(label);
      for (const [, fill] of page.matchAll(/url\(#([^)]+)\)/g)) expect(ids).to.include(fill);
      expect(page.match(/<table>/g)?.length).to.equal(page.match(/<caption>/g)?.length);
      expect(page).to.match(/@media print/);
    });
  }

  it("shows the hostile text as text", () => {
    expect(PAGES["hostile readings"]).to.include(
      "&lt;script&gt;fetch(&quot;https://evil.example&quot;)&lt;/script&gt;",
    );
    expect(html`<p>${"<&>\"'"}</p>`.text).to.equal("<p>&lt;&amp;&gt;&quot;&#39;</p>");
    expect(named("\u202Eabc").text).to.equal("<bdi>\uFFFDabc</bdi>");
  });

  it("tells times in the reader's zone and in UTC", () => {
    const page = PAGES["readings"] ?? "";
    expect(page).to.include("2026-03-01 09:00:00 to 10:00:00 +01:00 (08:00:00 to 09:00:00 UTC)");
    expect(page)
      .to.match(/>local<\/text>/)
      .and.match(/>UTC<\/text>/);
    expect(PAGES["readings without alerts in UTC"])
      .to.include("2026-03-01 08:00:00 to 09:00:00 UTC<")
      .and.not.match(/>local</);
    // Another day there.
    const late = readingsPage(report({ made: Date.UTC(2026, 0, 1, 2) / 1000, zone: "America/New_York" }));
    expect(late).to.include("2025-12-31 21:00:00 -05:00 (2026-01-01 02:00:00 UTC)");
  });

  it("names window, consent and gateway, and says what is wrong first", () => {
    const page = PAGES["readings"] ?? "";
    const stream = report().streams[0];
    expect(page).to.include(stream?.consent.statement).and.include("Ward gateway").and.include("READ, AUDIT for TREAT");
    expect(page.indexOf("Not all of this can be relied on")).to.be.lessThan(page.indexOf("<h2"));
    expect(page).to.include("<strong>altered</strong>").and.include("<strong>119 not verified</strong>");
  });

  it("tells no alerts from no alert stream, and who acknowledged which when", () => {
    expect(PAGES["readings"]).to.match(/09:11:40 \+01:00 \(08:11:40 UTC\): acknowledged by <bdi>Dr Lee<\/bdi>/);
    expect(PAGES["readings"]).to.include("<strong>still open</strong>");
    expect(PAGES["readings"]).to.include("got worse, from level 2 to level 4; nobody answered; asked");
    expect(PAGES["readings without alerts in UTC"])
      .to.include("has no alert in this time")
      .and.not.include("not evaluated");
    const { alerts: _, ...without } = report();
    expect(readingsPage(without)).to.include("No alert stream is shown here");
  });

  it("says which time nobody watched over, and why a rule had no data", () => {
    const page = PAGES["readings"] ?? "";
    expect(page).to.include("Not all of this time was watched over").and.include("url(#gap-alerts)");
    for (const why of ["no data", "announced offline", "device retired", "consent paused"])
      expect(page).to.include(`<td>${why}</td>`);
    // Each is drawn in its own way.
    const drawn = [...page.matchAll(/<rect [^>]*height="16" (fill[^>]*)>\s*<title>oxygen-silent: /g)];
    expect(new Set(drawn.map(([, style]) => style)).size).to.equal(3);
    const forged = readingsPage(
      report({ streams: [], alerts: { ...ALERTS, findings: [{ kind: "forged", text: "nobody signed" }] } }),
    );
    expect(forged)
      .to.include("What is wrong with the record of alerts")
      .and.include("Not all of this can be relied on");
  });

  it("lists findings of an audit worst first", () => {
    const page = PAGES["an archive with findings"] ?? "";
    const levels = [...page.matchAll(/<th scope="row"><span class="level ([a-z]+)">/g)].map(([, level]) => level);
    expect(levels).to.deep.equal(["tampering", "tampering", "loss", "loss", "leave", "order"]);
    expect(PAGES["a clean archive"]).to.include("Nothing was found").and.include("Without a key it cannot see");
  });

  it("marks the checkpoint that has a finding, and not that of another gateway at the same place", () => {
    const other = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC" as const;
    const rested = [...checkpoints(2), { ...checkpoints(2)[0]!, gateway: other }];
    const found = { ...finding("altered", 1, 2), gateway: other };
    const page = auditPage({ ...windowAudit([found]), rested }, "UTC");
    const rows = [...page.matchAll(/<th scope="row">(\d) of <span class="cid">(0x\w+)<.*<td>(yes|none)<\/td><\/tr>/g)];
    const marks = rows.map(([, index, gateway, mark]) => `${index} ${gateway === other ? "other" : "first"} ${mark}`);
    expect(marks).to.have.members(["0 first none", "1 first none", "0 other none", "1 other yes"]);
    expect(page.match(/<title>1: findings<\/title>/g)).to.have.length(1);
  });

  it("lists implausible readings as no finding", () => {
    const flag: Flag = {
      kind: "value",
      time: "2026-03-01T08:00:01Z",
      code: "8867-4",
      unit: "/min",
      value: "900",
      batch: "b",
    };
    const page = auditPage({ ...windowAudit(), flags: [flag] }, "UTC").replace(/\s+/g, " ");
    expect(page).to.include("Nothing was found").and.include("Implausible readings");
    expect(page).to.include("<bdi>8867-4</bdi>: 900 <bdi>/min</bdi>");
  });

  it("stays small, however much there is to draw", () => {
    const { made } = report();
    const many = Array.from({ length: 200_000 }, (_, i) => ({
      at: made - 200_000 + i,
      value: i % 97,
      text: `${i % 97}`,
    }));
    const stream = section("heart-rate", HEART_RATE, 70, []);
    const window = { from: made - 200_000, to: made };
    const series = [{ channel: HEART_RATE, points: many, missing: many.map(({ at }) => at), gaps: [] }];
    const page = readingsPage(
      report({ streams: [{ ...stream, window, covered: [window], series }], alerts: NO_ALERTS }),
    );
    expect(page.length).to.be.lessThan(200_000);
    expect(page).to.include('class="trace"');
  });
});

// eslint-disable-next-line no-control-regex -- these must not come through
const UNSEEN = /[\u0000-\u0008\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;
