import { isAlive } from "../../src/files/durable.ts";
import type { Command } from "../cli/command.ts";
import { readWorld } from "../world/state.ts";
import { stopWorld } from "../world/stop.ts";

export const command: Command = {
  summary: "Ends the world that medseal up started; its state is kept",
  options: {},
  examples: [["down", "medseal up takes it up again"]],
  async run(call) {
    const world = await readWorld();
    const running = world !== undefined && (isAlive(world.pid) || isAlive(world.anvil));
    if (running) await stopWorld(world);
    call.io.result({ stopped: running }, running ? "Stopped; medseal up takes it up again." : "Nothing is running.");
  },
};
