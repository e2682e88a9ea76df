// One run of Roster's own load tester with the same numbers of records and seconds.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Postgres } from "./postgres.mjs";
import { run } from "./processes.mjs";

const project = new URL("../../Roster.LoadTests/", import.meta.url).pathname;

export async function runRoster({ records, seconds, warmup, store }) {
  const folder = await mkdtemp(path.join(tmpdir(), "roster-peer-roster-"));
  const postgres = store === "postgres" ? await Postgres.start() : null;
  try {
    const json = path.join(folder, "figures.json");
    await run([
      "dotnet", "run", "-c", "Release", "--no-build", "--project", project, "--",
      "mixed", "--records", records, "--seconds", seconds, "--warmup", warmup, "--json", json, "--store", store, ...(postgres ? ["--postgres", postgres.npgsql] : []),
    ].map(String));
    const { phases, options } = JSON.parse(await readFile(json, "utf8"));
    const refused = phases.reduce((sum, phase) => sum + phase.refused, 0);
    if (refused > 0) {
      throw new Error(`Roster refused ${refused} events.`);
    }
    return { closed: phases[0], open: phases[1], inflight: options.streams * options.window * options.batchEvents };
  } finally {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
