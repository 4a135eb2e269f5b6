import { connect } from "node:net";
import { expect } from "chai";
import { FeedServer } from "../../../src/feed/server.ts";

describe("the feed's server", () => {
  it("counts a connection that it turns away once, however much more comes", async () => {
    const turnedAway: string[] = [];
    const server = await FeedServer.listen(
      { host: "127.0.0.1", port: 0 },
      {
        sources: [],
        take: () => Promise.resolve({ level: "stored" }),
        deviceOf: () => undefined,
        turnedAway: (code) => void turnedAway.push(code),
        connected: () => undefined,
      },
    );
    const socket = connect(server.port ?? 0, "127.0.0.1");
    socket.on("error", () => undefined);
    const closed = new Promise((done) => socket.once("close", done));
    // Without an end of a line; the other side leaves while some of it is on its way.
    socket.write("x".repeat(16 << 20));
    socket.resume();
    await closed;
    await server.close();
    expect(turnedAway).to.deep.equal(["ERR_LINE_TOO_LONG"]);
  });
});
