// One generator process: has records of its own and does what the parent says.

import { Events, recordId } from "./workload.mjs";
import { Histogram, closedLoop, openLoop } from "./measure.mjs";

const [peerName, json] = process.argv.slice(2);
const { settings, options } = JSON.parse(json);
const peer = await import(`./${peerName}.mjs`);
const target = await peer.open(settings, options);
const events = new Events(options);
const send = () => target.send(events.next());

const commands = {
  async load() {
    let next = options.worker;
    await closedLoop(async () => {
      const number = next;
      next += options.workers;
      if (number < options.records) {
        await target.load(number);
      }
    }, options.inflight, () => next >= options.records, () => {});
  },

  /** Warms up, then counts for some seconds; what is on the way at the end is waited for, but not counted. */
  async drive({ warmup, seconds, eventsPerSecond }) {
    const latencies = new Histogram();
    const start = performance.now();
    const from = start + warmup * 1000;
    const to = from + seconds * 1000;
    let acked = 0;
    const isDone = () => performance.now() >= to;
    const onDone = (latency) => {
      const now = performance.now();
      if (now >= from && now < to) {
        acked++;
        latencies.add(latency);
      }
    };
    await (eventsPerSecond ? openLoop(send, eventsPerSecond, isDone, onDone) : closedLoop(send, options.inflight, isDone, onDone));
    return { acked, counts: latencies.counts };
  },

  async close() {
    await target.close();
    return { enrolling: events.enrolling };
  },
};

process.on("message", async ({ command, argument }) => {
  try {
    process.send({ answer: await commands[command](argument) });
  } catch (failure) {
    process.send({ failure: failure.stack });
  }
});
process.on("disconnect", () => process.exit(1));
process.send({ answer: "ready" });
