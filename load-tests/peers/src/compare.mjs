// Runs Roster and a peer in turns and prints the ratio.

import { writeFile } from "node:fs/promises";
import os from "node:os";
import { parseArgs } from "node:util";
import { runPeer } from "./peer.mjs";
import { runRoster } from "./roster.mjs";

const PEERS = ["rows", "dbos", "restate"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: "string", default: "20000" },
    seconds: { type: "string", default: "10" },
    warmup: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    inflight: { type: "string" },
    workers: { type: "string" },
    json: { type: "string" },
  },
});
const names = positionals.length > 0 ? positionals : PEERS;
const unknown = names.find((name) => !PEERS.includes(name));
if (unknown) {
  console.error(`Peer '${unknown}' is not known: ${PEERS.join(", ")}.`);
  process.exit(2);
}

const numbers = Object.fromEntries(Object.entries(values).filter(([name]) => name !== "json").map(([name, value]) => [name, Number(value)]));
const results = [];
console.log(`${os.cpus().length} cores (${os.cpus()[0].model}), Node ${process.version}, load average ${os.loadavg()[0].toFixed(2)} before the first run`);
console.log(`${numbers.records} records, ${numbers.seconds} s measured after ${numbers.warmup} s, ${numbers.rounds} rounds; generators, servers and databases share the machine`);
for (const name of names) {
  results.push(await compare(name));
}
if (values.json) {
  await writeFile(values.json, JSON.stringify({ at: new Date().toISOString(), cores: os.cpus().length, node: process.version, options: numbers, results }, null, 2) + "\n");
}

async function compare(name) {
  const peer = await import(`./${name}.mjs`);
  const versions = await peer.describe();
  const rounds = [];
  console.log(`\n${peer.title} (${versions}) beside Roster with the store ${peer.rosterStore}`);
  for (let round = 1; round <= numbers.rounds; round++) {
    const roster = await runRoster({ ...numbers, store: peer.rosterStore });
    const other = await runPeer(name, numbers);
    rounds.push({ roster, peer: other, ratio: roster.closed.eventsPerSecond / other.closed.eventsPerSecond });
    console.log(`  round ${round}: Roster ${whole(roster.closed.eventsPerSecond)}, ${name} ${whole(other.closed.eventsPerSecond)} events/s, ratio ${rounds.at(-1).ratio.toFixed(1)}`);
  }
  printTable(peer, rounds);
  return { name, title: peer.title, versions, rosterStore: peer.rosterStore, rounds };
}

/** Medians. The open loop of each runs at half of its own rate. */
function printTable(peer, rounds) {
  const row = (title, of) => `| ${[
    title, whole(median(rounds.map((r) => of(r).closed.eventsPerSecond))), of(rounds[0]).inflight,
    ...["p50Ms", "p99Ms", "p999Ms"].map((p) => median(rounds.map((r) => of(r).open[p])).toFixed(1)),
  ].join(" | ")} |`;
  console.log("\n| | events/s, closed loop | on the way | open loop p50 ms | p99 ms | p99.9 ms |");
  console.log("|---|---|---|---|---|---|");
  console.log(row(`Roster, ${peer.rosterStore}`, (r) => r.roster));
  console.log(row(peer.title, (r) => r.peer));
  const ratios = rounds.map((r) => r.ratio);
  console.log(`| ratio, median of ${rounds.length} (${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}) | ${median(ratios).toFixed(1)} | | | | |`);
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function whole(number) {
  return Math.round(number).toLocaleString("en-US");
}
