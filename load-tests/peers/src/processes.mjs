import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";

// A shell holds the program and waits for the end of its input: program and folder go with this process, whatever becomes of it.
const HOLD = `
trap : INT TERM HUP
"$@" &
held=$!
read -r _
kill -"$HOLD_SIGNAL" $held 2>/dev/null
wait $held
[ -z "$HOLD_FOLDER" ] || rm -rf "$HOLD_FOLDER"
`;

/** A program that ends with this process by a signal, and whose folder is removed then. */
export class Held {
  constructor(words, { signal = "TERM", folder = "", env = {} } = {}) {
    this.said = "";
    this.child = spawn("sh", ["-c", HOLD, "sh", ...words], { stdio: ["pipe", "pipe", "pipe"], cwd: tmpdir(), env: { ...process.env, ...env, HOLD_SIGNAL: signal, HOLD_FOLDER: folder } });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.said = (this.said + text).slice(-20_000);
        this.child.emit("said");
      });
    }
    // What it reads ends when it has gone.
    this.child.stdin.on("error", () => {});
    this.ended = once(this.child, "exit");
  }

  /** Waits until the program has said a text. The shell does not end when the program does, so there is a bound. */
  async until(text, seconds = 60) {
    const late = AbortSignal.timeout(seconds * 1000);
    while (!this.said.includes(text)) {
      await once(this.child, "said", { signal: late }).catch(() => {
        throw new Error(`The program did not say '${text}' within ${seconds} s: ${this.said}`);
      });
    }
  }

  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** Runs a program to its end. */
export async function run(words, options = {}) {
  const child = spawn(words[0], words.slice(1), { stdio: ["ignore", "pipe", "pipe"], ...options });
  let said = "";
  child.stdout.on("data", (text) => (said += text));
  child.stderr.on("data", (text) => (said += text));
  const [code] = await once(child, "exit");
  if (code !== 0) {
    throw new Error(`${words.join(" ")} ended with ${code}: ${said}`);
  }
  return said;
}

/** The version of a package that is installed. */
export const versionOf = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;

/** Ports of the loopback that nobody listens on now. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
