// The loops and the histogram.

/** Keeps `inflight` events on the way until told to stop. */
export async function closedLoop(next, inflight, isDone, onDone) {
  await Promise.all(Array.from({ length: inflight }, async () => {
    while (!isDone()) {
      const sentAt = performance.now();
      await next();
      onDone(performance.now() - sentAt);
    }
  }));
}

/** Sends at a fixed rate, whatever happens. Latency is from when an event was due: waiting counts. */
export async function openLoop(next, eventsPerSecond, isDone, onDone) {
  const start = performance.now();
  const onTheWay = new Set();
  let failure = null;
  for (let sent = 0; !isDone() && !failure; await new Promise((resolve) => setTimeout(resolve, 1))) {
    for (const due = Math.floor(((performance.now() - start) / 1000) * eventsPerSecond); sent < due; sent++) {
      const dueAt = start + (sent / eventsPerSecond) * 1000;
      const event = next().then(() => onDone(performance.now() - dueAt), (reason) => (failure ??= reason)).finally(() => onTheWay.delete(event));
      onTheWay.add(event);
    }
  }
  await Promise.all(onTheWay);
  if (failure) {
    throw failure;
  }
}

/** Counts by milliseconds, in steps of 2 %. */
export class Histogram {
  constructor(counts = {}) {
    this.counts = counts;
  }

  add(ms) {
    const step = Math.ceil(Math.log(Math.max(ms, 0.01)) / Math.log(1.02));
    this.counts[step] = (this.counts[step] ?? 0) + 1;
  }

  merge(counts) {
    for (const [step, count] of Object.entries(counts)) {
      this.counts[step] = (this.counts[step] ?? 0) + count;
    }
  }

  percentile(share) {
    const steps = Object.keys(this.counts).map(Number).sort((a, b) => a - b);
    const total = steps.reduce((sum, step) => sum + this.counts[step], 0);
    let seen = 0;
    for (const step of steps) {
      seen += this.counts[step];
      if (seen >= total * share) {
        return 1.02 ** step;
      }
    }
    return 0;
  }
}
