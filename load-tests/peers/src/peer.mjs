// One run of a peer: start, load, warm up, measure closed loop, then open loop at half of the rate; as Roster's load tester does.

import { fork } from "node:child_process";
import { Histogram } from "./measure.mjs";

export async function runPeer(name, { records, seconds, warmup, inflight, workers }) {
  const peer = await import(`./${name}.mjs`);
  workers ??= peer.defaults.workers;
  inflight = Math.ceil((inflight ?? peer.defaults.inflight) / workers);
  const started = await peer.start({ records });
  const children = [];
  try {
    const run = Date.now().toString(36);
    for (let worker = 0; worker < workers; worker++) {
      children.push(new Child(name, started.settings, { records, worker, workers, inflight, run }));
    }
    const all = (command, argument) => Promise.all(children.map((child) => child.ask(command, argument)));
    await Promise.all(children.map((child) => child.answer()));
    await all("load");
    const closed = figures(await all("drive", { warmup, seconds }), seconds);
    const open = figures(await all("drive", { warmup, seconds, eventsPerSecond: closed.eventsPerSecond / 2 / workers }), seconds);
    const sent = (await all("close")).reduce((sum, answer) => sum + answer.enrolling, 0);
    const waiting = await started.enrollments();
    if (waiting !== sent) {
      throw new Error(`${sent} events enrolled, but ${waiting} enrollments wait.`);
    }
    return { closed, open, inflight: inflight * workers, workers };
  } finally {
    children.forEach((child) => child.end());
    await started.stop();
  }
}

class Child {
  constructor(name, settings, options) {
    this.process = fork(new URL("worker.mjs", import.meta.url).pathname, [name, JSON.stringify({ settings, options })], {
      env: { ...process.env, NODE_ENV: "production" }, execArgv: ["--no-deprecation"],
    });
  }

  ask(command, argument) {
    const answer = this.answer();
    this.process.send({ command, argument });
    return answer;
  }

  answer() {
    return new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`A generator ended with ${code}`));
      this.process.once("exit", ended);
      this.process.once("message", ({ answer, failure }) => {
        this.process.off("exit", ended);
        failure ? reject(new Error(failure)) : resolve(answer);
      });
    });
  }

  end() {
    this.process.kill();
  }
}

function figures(answers, seconds) {
  const latencies = new Histogram();
  answers.forEach((answer) => latencies.merge(answer.counts));
  return {
    eventsPerSecond: answers.reduce((sum, answer) => sum + answer.acked, 0) / seconds,
    p50Ms: latencies.percentile(0.5),
    p99Ms: latencies.percentile(0.99),
    p999Ms: latencies.percentile(0.999),
  };
}
