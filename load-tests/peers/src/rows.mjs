// The plainest thing: one row per record, one statement per event, which is one round trip and one transaction.

import pg from "pg";
import { Postgres, version } from "./postgres.mjs";
import { versionOf } from "./processes.mjs";
import { DELAY_MS, recordId, seed, startedWorkflow } from "./workload.mjs";

export const title = "one row update per event, PostgreSQL";
export const rosterStore = "postgres";
export const defaults = { inflight: 128, workers: 2 };

export const describe = async () => `${await version()}, node-postgres ${versionOf("pg")}`;

export async function start({ records }) {
  const postgres = await Postgres.start();
  const client = new pg.Client(postgres.connection);
  await client.connect();
  await createRecords(client, records);
  await client.query("CREATE TABLE enrollment (record text, workflow int, due_at timestamptz, PRIMARY KEY (record, workflow))");
  await client.query("CREATE INDEX ON enrollment (due_at)");
  await client.query("CHECKPOINT");
  await client.end();
  return { settings: postgres.connection, enrollments: () => postgres.count("enrollment"), stop: () => postgres.stop() };
}

/** The table of the records with their properties, as one document each. */
export async function createRecords(client, records) {
  await client.query("CREATE TABLE record (id text PRIMARY KEY, properties jsonb NOT NULL) WITH (fillfactor = 60)");
  for (let from = 0; from < records; from += 5_000) {
    const numbers = Array.from({ length: Math.min(5_000, records - from) }, (_, i) => from + i);
    await client.query("INSERT INTO record SELECT * FROM unnest($1::text[], $2::jsonb[])", [numbers.map(recordId), numbers.map((n) => JSON.stringify(seed(n)))]);
  }
  await client.query("VACUUM ANALYZE record");
}

const UPDATE = `UPDATE record SET properties = properties || jsonb_build_object($2::text, $3::text) WHERE id = $1`;

const ENROLL = `
WITH enrolled AS (INSERT INTO enrollment VALUES ($1, $4, $6) ON CONFLICT DO NOTHING RETURNING 1)
UPDATE record SET properties = properties || jsonb_build_object($2::text, $3::text)
  || CASE WHEN EXISTS (SELECT FROM enrolled) THEN jsonb_build_object($5::text, 'enrolled') ELSE '{}' END
WHERE id = $1`;

export async function open(settings, { inflight }) {
  const pool = new pg.Pool({ ...settings, max: Math.min(inflight, 64) });
  return {
    async load() {},
    async send(event) {
      const workflow = startedWorkflow(event);
      await pool.query(workflow < 0
        ? { name: "update", text: UPDATE, values: [event.record, event.property, event.value] }
        : { name: "enroll", text: ENROLL, values: [event.record, event.property, event.value, workflow, `status_${workflow}`, new Date(Date.now() + DELAY_MS)] });
    },
    close: () => pool.end(),
  };
}
