import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { auditPage } from "../../../src/report/audit.ts";
import { readingsPage } from "../../../src/report/readings.ts";
import { Browser, chromiumPath, type Page } from "./browser.ts";
import { archiveAudit, FINDINGS, HEART_RATE, HOSTILE, report, section } from "./samples.ts";

const PAGES: Readonly<Record<string, { readonly page: string; readonly colours: readonly string[] }>> = {
  // The trace, what is not verified, an alert that was acknowledged.
  readings: { page: readingsPage(report()), colours: ["0b5cad", "a8201a", "1d6b39"] },
  audit: { page: auditPage(archiveAudit(FINDINGS), "Europe/Berlin"), colours: ["0b5cad", "a8201a"] },
  hostile: {
    page: readingsPage(report({ patient: HOSTILE, viewer: HOSTILE, streams: [section(HOSTILE, HEART_RATE, 70, [])] })),
    colours: ["0b5cad"],
  },
};

/** A place to look at them afterwards. */
const KEEP = process.env["MEDSEAL_SCREENSHOTS"];

describe("pages in a browser", () => {
  let browser: Browser;
  let folder: string;

  before(async function () {
    const path = chromiumPath();
    if (path === undefined) {
      console.log("      left out: there is no Chromium here; install Debian's chromium, or set MEDSEAL_CHROMIUM");
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), "medseal-pages-"));
    browser = await Browser.open(path);
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  for (const [name, { page, colours }] of Object.entries(PAGES)) {
    it(`${name}: is drawn, fits screens large and small, asks nothing of anybody, and prints`, async () => {
      const file = join(folder, `${name}.html`);
      await writeFile(file, page);
      const { send, events } = await browser.page();
      const value = async (expression: string): Promise<unknown> => {
        const answer = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
        expect(answer["exceptionDetails"], expression).to.equal(undefined);
        return (answer["result"] as { value: unknown }).value;
      };
      for (const width of [1280, 390]) {
        await send("Emulation.setDeviceMetricsOverride", {
          width,
          height: 900,
          deviceScaleFactor: 1,
          mobile: width < 500,
        });
        events.length = 0;
        const { loaderId } = await send("Page.navigate", { url: pathToFileURL(file).href });
        // The empty page before it may be loaded late.
        const isLoaded = ({ method, params }: Page["events"][number]): boolean =>
          method === "Page.lifecycleEvent" && params["name"] === "load" && params["loaderId"] === loaderId;
        while (!events.some(isLoaded)) await pause(10);
        expect(
          await value("document.documentElement.scrollWidth <= window.innerWidth"),
          `${name} at ${width}`,
        ).to.equal(true);
        const heights = "[...document.querySelectorAll('svg')].map((svg) => svg.getBoundingClientRect().height)";
        for (const height of (await value(heights)) as number[]) expect(height).to.be.greaterThan(20);
        const seen = events.filter(({ method }) => method === "Network.requestWillBeSent");
        expect(seen.map(({ params }) => (params["request"] as { url: string }).url)).to.deep.equal([
          pathToFileURL(file).href,
        ]);
        const said = events.filter(({ method }) =>
          /^(Log.entryAdded|Runtime.(exceptionThrown|consoleAPICalled))$/.test(method),
        );
        expect(said).to.deep.equal([]);
        expect(await value("document.scripts.length + document.images.length + frames.length")).to.equal(0);

        // On a small screen a chart is scrolled in its own frame.
        if (width < 1000 && KEEP === undefined) continue;
        const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
        if (KEEP !== undefined) {
          await mkdir(KEEP, { recursive: true });
          await writeFile(join(KEEP, `${name}-${width}.png`), Buffer.from(data as string, "base64"));
        }
        const found = await pixels(data as string, width > 1000 ? colours : []);
        for (const [colour, count] of Object.entries(found))
          expect(count, `pixels of #${colour}`).to.be.greaterThan(20);
      }
      const { nodes } = (await send("Accessibility.getFullAXTree")) as {
        nodes: { role?: { value: string }; name?: { value: string } }[];
      };
      const images = nodes.filter(({ role }) => role?.value === "image" || role?.value === "img");
      expect(images.length).to.be.greaterThan(0);
      for (const image of images) expect(image.name?.value ?? "").to.not.equal("");
      const { data: pdf } = await send("Page.printToPDF", { preferCSSPageSize: true });
      if (KEEP !== undefined) await writeFile(join(KEEP, `${name}.pdf`), Buffer.from(pdf as string, "base64"));
      const printed = Buffer.from(pdf as string, "base64").toString("latin1");
      expect(printed).to.match(/^%PDF-/);
      expect(printed.match(/\/Type\s*\/Page\b/g)?.length).to.be.within(1, 8);
    });
  }

  /** How many pixels of a screenshot have a colour, counted by a page without a policy. */
  async function pixels(png: string, colours: readonly string[]): Promise<Record<string, number>> {
    const { send } = await browser.page();
    const expression = `(async () => {
      const image = new Image();
      image.src = "data:image/png;base64,${png}";
      await image.decode();
      const context = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height }).getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      const found = Object.fromEntries(${JSON.stringify(colours)}.map((colour) => [colour, 0]));
      for (let i = 0; i < data.length; i += 4) {
        const colour = ((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]).toString(16).padStart(6, "0");
        if (colour in found) found[colour] += 1;
      }
      return found;
    })()`;
    const { result } = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    return (result as { value: Record<string, number> }).value;
  }
});
