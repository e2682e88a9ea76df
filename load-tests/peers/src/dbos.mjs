// DBOS on PostgreSQL: each event is a workflow with one step, which updates the record's row; each enrollment is a workflow that sleeps.
// The id of the event is the id of its workflow, so an event that is sent again is not applied again.

import { DBOS } from "@dbos-inc/dbos-sdk";
import pg from "pg";
import { Postgres, version } from "./postgres.mjs";
import { versionOf } from "./processes.mjs";
import { createRecords } from "./rows.mjs";
import { DELAY_MS, startedWorkflow } from "./workload.mjs";

export const title = "DBOS, PostgreSQL";
export const rosterStore = "postgres";
export const defaults = { inflight: 64, workers: 1 };

export const describe = async () => `${await version()}, @dbos-inc/dbos-sdk ${versionOf("@dbos-inc/dbos-sdk")}`;

const url = (settings) => `postgresql://roster@localhost:5432/postgres?host=${encodeURIComponent(settings.host)}`;

export async function start({ records }) {
  const postgres = await Postgres.start();
  const client = new pg.Client(postgres.connection);
  await client.connect();
  await createRecords(client, records);
  await DBOS.migrate(url(postgres.connection));
  await client.query("CHECKPOINT");
  await client.end();
  return {
    settings: postgres.connection,
    enrollments: () => postgres.count("dbos.workflow_status WHERE name = 'enrollment' AND status = 'PENDING'"),
    stop: () => postgres.stop(),
  };
}

const UPDATE = "UPDATE record SET properties = properties || $2::jsonb WHERE id = $1";

export async function open(settings, { inflight, worker }) {
  const pool = new pg.Pool({ ...settings, max: 32 });
  const setProperties = (record, properties) => pool.query({ name: "set", text: UPDATE, values: [record, JSON.stringify(properties)] });
  const enrollment = DBOS.registerWorkflow(
    async (record, workflow) => {
      await DBOS.sleep(DELAY_MS);
      await DBOS.runStep(() => setProperties(record, { [`status_${workflow}`]: "completed" }), { name: "complete" });
    },
    { name: "enrollment" });
  const applied = DBOS.registerWorkflow(
    async (event) => {
      const workflow = startedWorkflow(event);
      const properties = { [event.property]: event.value };
      if (workflow >= 0) {
        properties[`status_${workflow}`] = "enrolled";
      }
      await DBOS.runStep(async () => void (await setProperties(event.record, properties)), { name: "set" });
      if (workflow >= 0) {
        // A record is in a workflow once: the id says so.
        await DBOS.startWorkflow(enrollment, { workflowID: `${event.record}/${workflow}` })(event.record, workflow);
      }
    },
    { name: "event" });
  process.env.DBOS__VMID = `worker-${worker}`;
  DBOS.setConfig({ name: "roster-peers", systemDatabaseUrl: url(settings), systemDatabasePoolSize: Math.min(inflight, 32), logLevel: "error", runAdminServer: false });
  await DBOS.launch();
  return {
    async load() {},
    async send(event) {
      const handle = await DBOS.startWorkflow(applied, { workflowID: event.id })(event);
      await handle.getResult();
    },
    async close() {
      // Those that sleep are in the database; the process ends without them.
      await pool.end();
    },
  };
}
