import { parentPort } from "node:worker_threads";
import { makeChunk } from "../log/batch.ts";
import type { ChunkTask } from "./threads.ts";

/** A worker thread of `ChunkThreads`: answers each task in turn. */
parentPort?.on("message", ({ plain, base }: ChunkTask) => parentPort?.postMessage(makeChunk(plain, base)));
