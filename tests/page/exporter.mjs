// The built binary over one source.

import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// Starts it on a free port and waits until it has polled.
export async function start(binary, source) {
  const folder = await mkdtemp(join(tmpdir(), "page-"));
  const config = join(folder, "config.yml");
  const keys = "username: u, password: p, poll_interval: 1s, max_open_tasks: 1000";
  const text = `sources: [{name: sfo-vcf01, system: sddc_manager, url: '${source}', ${keys}}]\n`;
  await writeFile(config, text, { mode: 0o600 });
  const flags = ["--config.file", config, "--storage.path=", "--web.listen-address=127.0.0.1:0"];
  const child = spawn(binary, flags, { stdio: ["ignore", "ignore", "pipe"] });
  const url = await address(child);
  await ready(url);
  return { child, url };
}

async function address(child) {
  for await (const line of createInterface({ input: child.stderr })) {
    const bound = /address="?([0-9.:]+)/.exec(line);
    if (bound) {
      child.stderr.resume();
      return `http://${bound[1]}`;
    }
  }
  throw new Error("the exporter ended before it listened");
}

async function ready(url) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const status = await (await fetch(`${url}/api/v1/status`)).json();
    if (status.sources[0].state === "up") return;
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error("the exporter did not read its source");
}
