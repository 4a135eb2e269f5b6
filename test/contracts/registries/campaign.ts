import { Draw } from "../campaign/draw.ts";
import { emptyReport, type Report } from "../campaign/report.ts";
import { DeviceSide } from "./devices.ts";
import { EmergencySide } from "./emergencies.ts";
import { PartySide } from "./parties.ts";
import { World } from "./world.ts";

/** Steps on one chain; then a new one begins, so that a long campaign needs no more memory than a short one. */
const ROUND = 1_000;
/** Steps between two looks at the whole storage. */
const WHOLE = 25;

/**
 * Drives DeviceRegistry, PartyRegistry and EmergencyAccess together with their reference models through random steps. After each, refusal,
 * events and every view of what was touched, and of something else, are those of the model; now and then the whole storage is.
 *
 * @param steps - Transactions to send, or one more.
 * @param seed - Same seed, same campaign.
 */
export async function registryCampaign(steps: number, seed: number): Promise<Report> {
  const report = emptyReport(seed);
  for (let round = 0; report.calls < steps; round++) {
    const world = await World.open(new Draw(seed + round), report);
    try {
      await play(world, Math.min(steps, report.calls + ROUND));
    } finally {
      await world.chain.close();
    }
  }
  return report;
}

async function play(world: World, last: number): Promise<void> {
  const { draw, report } = world;
  const parties = new PartySide(world);
  const [devices, emergencies] = [new DeviceSide(world), new EmergencySide(world, parties)];
  await emergencies.begin();
  while (report.calls < last) {
    const moment = draw.chance(0.05) ? emergencies.moment() : undefined;
    await (moment === undefined ? world.pass() : world.nextAt(moment));
    await draw.act([
      [2, () => devices.step()],
      [1.5, () => parties.step()],
      [3, () => emergencies.step()],
    ])();
    report.calls++;
    report.modelSteps++;
    if (report.calls % WHOLE === 0 || report.calls === last) {
      for (const each of [devices, parties, emergencies]) await each.whole();
    }
  }
}
