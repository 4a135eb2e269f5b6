import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { UsageError } from "../../src/errors.ts";
import { closest } from "../../scripts/cli/closest.ts";
import { helpOf, type Command } from "../../scripts/cli/command.ts";
import { parseDuration, parseTime, parseWindow, roundWindow } from "../../scripts/cli/times.ts";
import { VERBS } from "../../scripts/cli/verbs.ts";
import { World } from "./world.ts";

const NOW = 1_772_352_000;

describe("words on the command line", () => {
  it("are times, lengths of time and windows, or refused", () => {
    expect(parseTime("2026-03-01T08:00:00Z", NOW)).to.equal(NOW);
    expect(parseTime("2026-03-01T09:00:00+01:00", NOW)).to.equal(NOW);
    expect(parseTime("now", NOW)).to.equal(NOW);
    expect(parseTime("2026-03-01", NOW)).to.equal(new Date(2026, 2, 1).getTime() / 1000);
    for (const text of ["", "2026-02-30", "2026-13-01", "2026-03-01T25:00:00Z", "1 March", "2026-03-01 08:61"])
      expect(() => parseTime(text, NOW), text).to.throw(UsageError);
    expect(["90s", "15min", "1h", "30d", "2w"].map(parseDuration)).to.deep.equal([90, 900, 3600, 2_592_000, 1_209_600]);
    for (const text of ["", "5", "5m", "-1h", "1.5h", "h"])
      expect(() => parseDuration(text), text).to.throw(UsageError);
    expect(parseWindow("last-1h", NOW)).to.deep.equal({ from: NOW - 3600, to: NOW });
    expect(parseWindow("2026-03-01T08:00:00Z..2026-03-01T09:00:00Z", NOW)).to.deep.equal({ from: NOW, to: NOW + 3600 });
    for (const text of ["last-", "2026-03-01", "now..2026-01-01", "a..b", "a..b..c"])
      expect(() => parseWindow(text, NOW), text).to.throw(UsageError);
  });

  it("are rounded inward to no more than was said, outward to no less", () => {
    const window = { from: 61, to: 299 };
    expect(roundWindow(window, 60, true)).to.deep.equal({ from: 120, to: 240 });
    expect(roundWindow(window, 60, false)).to.deep.equal({ from: 60, to: 300 });
  });

  it("are guessed only when one is near", () => {
    expect(closest("heart-rat", ["heart-rate", "oxygen"])).to.equal("heart-rate");
    expect(closest("hearth-rate", ["heart-rate", "oxygen"])).to.equal("heart-rate");
    expect(closest("TRAET", ["TREAT", "HRESCH"])).to.equal("TREAT");
    expect(closest("glucose", ["heart-rate", "oxygen"])).to.equal(undefined);
  });

  for (const verb of VERBS.keys()) {
    it(`${verb} --help shows what it takes, with examples that begin with it`, async () => {
      const { command } = (await import(`../../scripts/commands/${verb.replaceAll(" ", "-")}.ts`)) as {
        command: Command;
      };
      expect(command.examples).not.to.have.length(0);
      for (const [line] of command.examples) expect(line.startsWith(verb), line).to.equal(true);
      const help = helpOf(verb, command);
      for (const name of Object.keys(command.options)) expect(help).to.include(`--${name}`);
      // Every option that an example uses exists.
      for (const [line] of command.examples)
        for (const [, name] of line.matchAll(/ --([a-z-]+)/g)) expect(help, line).to.include(`--${name} `);
    });
  }

  it("are completed by shells that take the script", async () => {
    const world = await World.open(false);
    for (const shell of ["bash", "zsh"]) {
      const script = await world.run(`completion ${shell}`);
      if (shell === "zsh") continue;
      execFileSync("bash", ["-n"], { input: script });
      const asked = `${script}\nCOMP_WORDS=(medseal consent re); COMP_CWORD=2; _medseal; echo "\${COMPREPLY[@]}"`;
      expect(execFileSync("bash", { input: asked, encoding: "utf8" }).trim()).to.equal("revoke revoke-all request");
    }
    await world.close();
  });
});
