// Restate: one virtual object per record, whose handler reads its state, changes it and writes it; an enrollment is a delayed call to itself.
// An event counts when the call has returned: then it was executed and its outcome is in Restate's log.

import http from "node:http";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Held, freePorts, run, versionOf } from "./processes.mjs";
import { recordId, seed } from "./workload.mjs";

export const title = "Restate";
export const rosterStore = "sqlite";
export const defaults = { inflight: 256, workers: 1 };

const binary = () => new URL(`../node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`, import.meta.url).pathname;

export const describe = async () => `${(await run([binary(), "--version"])).trim()}, @restatedev/restate-sdk ${versionOf("@restatedev/restate-sdk")}`;

export async function start() {
  const folder = await mkdtemp(path.join(tmpdir(), "roster-peer-restate-"));
  const [ingress, admin, fabric, service] = await freePorts(4);
  const handlers = new Held([process.execPath, new URL("restate-service.mjs", import.meta.url).pathname, String(service)], { env: { NODE_ENV: "production" } });
  const server = new Held([binary(), "--no-logo", "--base-dir", folder, "--node-name", "peer", "--bind-ip", "127.0.0.1"], {
    signal: "KILL",
    folder,
    env: {
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_BIND_PORT: String(fabric),
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${fabric}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_DISABLE_TELEMETRY: "true",
      RESTATE_LOG_FILTER: "warn",
    },
  });
  const stop = async () => {
    await server.stop();
    await handlers.stop();
  };
  try {
    await handlers.until("listening");
    await ready(`http://127.0.0.1:${admin}/health`);
    const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
    });
    if (!answer.ok) {
      throw new Error(`Restate does not take the service: ${answer.status} ${await answer.text()}`);
    }
    await ready(`http://127.0.0.1:${ingress}/restate/health`);
  } catch (failure) {
    console.error(server.said);
    await stop();
    throw failure;
  }
  return { settings: { port: ingress }, enrollments: () => countScheduled(admin), stop };
}

/** Calls that wait for their time. */
async function countScheduled(admin) {
  const answer = await fetch(`http://127.0.0.1:${admin}/query`, {
    method: "POST", headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: "SELECT count(*) AS scheduled FROM sys_invocation WHERE status = 'scheduled'" }),
  });
  return (await answer.json()).rows[0].scheduled;
}

async function ready(url) {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) {
      return;
    }
    if (attempt === 300) {
      throw new Error(`${url} does not answer within a minute.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function open({ port }, { inflight }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: inflight });
  const call = (record, handler, argument) => new Promise((resolve, reject) => {
    const body = JSON.stringify(argument);
    const request = http.request(
      { agent, host: "127.0.0.1", port, method: "POST", path: `/record/${encodeURIComponent(record)}/${handler}`, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) } },
      (response) => {
        let said = "";
        response.setEncoding("utf8").on("data", (text) => (said += text)).on("end", () => (response.statusCode < 300 ? resolve() : reject(new Error(`${response.statusCode} ${said}`))));
      });
    request.on("error", reject).end(body);
  });
  return {
    load: (number) => call(recordId(number), "seed", seed(number)),
    send: (event) => call(event.record, "apply", event),
    close: async () => agent.destroy(),
  };
}
