import { once } from "node:events";
import type { Listen } from "../../src/feed/listen.ts";
import type { Desk } from "../../src/monitor/desk.ts";
import { MonitorFeed } from "../../src/monitor/feed-server.ts";
import { PlanRoutes } from "../../src/monitor/routes.ts";
import type { Io } from "./io.ts";
import { count } from "./times.ts";
import type { Watch } from "./watch.ts";

export interface GatewayFeed {
  readonly desk: Desk;
  readonly io: Io;
  readonly at: Listen;
  /** What the gateway has to show. */
  readonly credential: string;
}

/** Watches what a running gateway brings, until SIGTERM. @throws UsageError when the place is taken, and what breaks the watch. */
export async function watchGateway(watch: Watch, { desk, io, at, credential }: GatewayFeed): Promise<void> {
  process.removeAllListeners("SIGINT");
  const told = Promise.race((["SIGINT", "SIGTERM"] as const).map((signal) => once(process, signal)));
  const plans = desk.watching.map(({ plan }) => plan);
  for (const { id, sources } of plans)
    if (!sources.some(({ writes }) => writes.length > 0))
      io.note(`plan ${id.slice(0, 8)} names no leave to record: the gateway's readings do not reach it`);
  const routes = new PlanRoutes(plans);
  const feed = await MonitorFeed.listen(at, {
    credential,
    patients: routes.grantors,
    taken: (journal) => desk.taken(sourceOf(journal)),
    async take(journal, messages) {
      const refused = messages.reduce((sum, message) => sum + message.refused, 0);
      if (refused > 0) watch.refuse(`${count(refused, "reading")} of the gateway: not as it should be`);
      const fed = messages.flatMap(({ patients }) => patients.flatMap((one) => routes.fed(one)));
      const source = sourceOf(journal);
      const end = (messages.at(-1)?.place ?? -1) + 1;
      await watch.take(fed, Date.now(), source, end - desk.taken(source));
    },
    connected: () => io.note("The gateway is there"),
    turnedAway: (code) => io.note(`A connection was turned away: ${code}`),
  });
  try {
    io.note(`Listening for the gateway${feed.port === undefined ? "" : ` on port ${feed.port}`}`);
    await watch.beating(Promise.race([feed.failed, told.then(() => undefined)]));
  } finally {
    await feed.close();
  }
}

const sourceOf = (journal: string): string => `gateway ${journal}`;
