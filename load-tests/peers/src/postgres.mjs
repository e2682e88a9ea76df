import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, chown } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { Held, run } from "./processes.mjs";

const VERSIONS = "/usr/lib/postgresql";

// Everything that durability depends on is left as it comes: fsync, synchronous_commit and full_page_writes are on.
const SETTINGS = { max_connections: "200", shared_buffers: "256MB", max_wal_size: "4GB" };

/** A PostgreSQL server of Debian's package: data and socket in a folder under the temporary one, no TCP port, gone at the end. */
export class Postgres {
  static async start() {
    const server = new Postgres();
    server.folder = await mkdtemp(path.join(tmpdir(), "roster-peer-pg-"));
    if (user) {
      await chown(server.folder, user.uid, user.gid);
    }
    await run([...asUser, path.join(programs(), "initdb"), "--pgdata", server.folder, "--username", "roster", "--auth", "trust", "--encoding", "UTF8", "--no-locale"], { cwd: tmpdir() });
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    server.held = new Held(
      [...asUser, path.join(programs(), "postgres"), "-D", server.folder, "-k", server.folder, "-c", "listen_addresses=", "-c", "port=5432", ...settings],
      { signal: "QUIT", folder: server.folder });
    await server.held.until("database system is ready to accept connections");
    return server;
  }

  /** For node-postgres. */
  get connection() {
    return { host: this.folder, port: 5432, user: "roster", database: "postgres" };
  }

  /** For Npgsql. */
  get npgsql() {
    return `Host=${this.folder};Username=roster;Database=postgres`;
  }

  async count(from) {
    const client = new pg.Client(this.connection);
    await client.connect();
    const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${from}`);
    await client.end();
    return rows[0].count;
  }

  stop() {
    return this.held.stop();
  }
}

export const version = async () => (await run([path.join(programs(), "postgres"), "--version"])).trim();

function programs() {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).filter((v) => existsSync(path.join(VERSIONS, v, "bin", "initdb"))) : [];
  if (versions.length === 0) {
    throw new Error("PostgreSQL is not installed: apt-get install -y postgresql");
  }
  return path.join(VERSIONS, versions.sort((a, b) => Number(b) - Number(a))[0], "bin");
}

/** PostgreSQL refuses to run as root; the package brings a user for it. */
const user = process.getuid() === 0 ? passwd("postgres") ?? passwd("nobody") : null;
const asUser = user ? ["setpriv", "--reuid", String(user.uid), "--regid", String(user.gid), "--clear-groups"] : [];

function passwd(name) {
  const line = readFileSync("/etc/passwd", "utf8").split("\n").find((l) => l.startsWith(`${name}:`));
  return line && { uid: Number(line.split(":")[2]), gid: Number(line.split(":")[3]) };
}
