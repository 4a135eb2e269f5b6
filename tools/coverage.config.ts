import config from "../hardhat.config.ts";

/** Puts builds with counters in the code apart from those that are deployed. */
export default {
  ...config,
  paths: { ...config.paths, artifacts: "./cache/coverage/artifacts", cache: "./cache/coverage" },
};
