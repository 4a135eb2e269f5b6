import { readFile, rename } from "node:fs/promises";
import { RunningGateway, type GatewayWay } from "./running.ts";
import type { World } from "./world.ts";

export interface LiveWard extends GatewayWay {
  /** Name, code and unit of each of Ann's streams. */
  readonly streams: readonly (readonly [name: string, code: string, unit: string])[];
  /** Of the streams; a minute without it. */
  readonly epoch?: string;
  /** Hours that readings may lie before and after now. */
  readonly hours: readonly [before: number, after: number];
}

export const HEART_RATE: LiveWard["streams"] = [["heart-rate", "8867-4", "/min"]];

/** Ann, a gateway that runs and keeps her lease, and Dr Lee whose release is in `lee.release`. */
export async function openLiveWard(
  world: World,
  { streams, hours, epoch = "1min", ...way }: LiveWard,
): Promise<RunningGateway> {
  const hour = (ahead: number): string =>
    `${new Date(Date.now() + ahead * 3_600_000).toISOString().slice(0, 14)}00:00Z`;
  const window = `${hour(-hours[0])}..${hour(hours[1])}`;
  /** Commands of one identity come one after the other, those of several go on together. */
  const as = async (name: string, ...lines: string[]): Promise<void> => {
    for (const line of lines) await world.run(`${line} --as ${name}`);
  };
  await Promise.all(
    ["Ann", "Gateway", "Lee"].map(async (name) => {
      await world.identity(name);
      await as(name, `keys card --out ${name}.card`);
    }),
  );
  await Promise.all([
    as(
      "Ann",
      ...["Gateway", "Lee"].map((name) => `contacts add ${name}.card --yes`),
      ...streams.map(([name, code, unit]) => `stream open ${name} --code ${code} --unit ${unit} --epoch ${epoch}`),
      `gateway authorize --to Gateway --data ${window} --until 7d --out gw.grant --yes`,
      `consent grant --to Lee --data ${window} --until 7d --out lee.grant --yes`,
    ),
    as("Gateway", "contacts add Ann.card --yes", "fund"),
    as("Lee", ...["Gateway", "Ann"].map((name) => `contacts add ${name}.card --yes`)),
  ]);
  await as("Gateway", "relay gw.grant lee.grant --wait");
  const started = async (): Promise<RunningGateway> => {
    const gateway = await RunningGateway.init(world, way);
    await gateway.start();
    return gateway;
  };
  const [gateway] = await Promise.all([started(), as("Ann", "gateway lease --to Gateway --out gw.lease")]);
  await takeLease(world, gateway, "gw.lease");
  await world.run("release --to Lee --out lee.release --as Ann");
  return gateway;
}

/** Hands a running gateway Ann's lease, and Ann its receipt. */
export async function takeLease(world: World, gateway: RunningGateway, file: string): Promise<void> {
  await rename(world.path(file), gateway.spool(file));
  const receipt = gateway.spool(file.replace(/\.lease$/, ".receipt"));
  await gateway.until(() =>
    readFile(receipt).then(
      () => true,
      () => false,
    ),
  );
  await world.run(`gateway confirm ${receipt} --as Ann`);
}
