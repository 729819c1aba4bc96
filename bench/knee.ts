// `--threads auto` beside fixed numbers, on a server over HTTP whose knee is known: an answer takes 80 ms, and one file is served at a time.
//
// usage: node bench/knee.ts [FILES [SERVICE-MS]]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../test/support/cli.ts';

const ANSWER_MS = 80;
const NUMBERS = ['20', '40', 'auto', '80', '160'];

const [files = '6000', serviceMs = '10'] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-knee-'));
const args = [join(import.meta.dirname, 'knee-server.ts'), files, String(ANSWER_MS), serviceMs];
const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  const url = `http://127.0.0.1:${Number(port)}`;
  const conf = join(scratch, 'clusters.json');
  const cluster = { name: 'A', user: 'root', nameservices: [{ urls: [url], mounts: ['/'] }] };
  writeFileSync(conf, JSON.stringify({ clusters: [cluster] }));
  console.log(`${files} files, ${ANSWER_MS} ms an answer, one file served at a time for ${serviceMs} ms\n`);
  console.log('| --threads | seconds | files/s | at once, at last |\n| --- | --- | --- | --- |');
  for (const threads of NUMBERS) {
    const to = join(scratch, threads);
    const flags = ['copy', '--silent', '--verify', 'none', '--exact', '--threads', threads];
    const { code, stderr, status } = await runCli([...flags, 'A:/tree', `local:${to}`], { conf });
    if (code !== 0) throw new Error(stderr);
    const last = status['Transfers At Once']?.last ?? threads;
    const speed = status['Files Copied'] / status.Duration;
    console.log(`| ${threads} | ${status.Duration.toFixed(1)} | ${speed.toFixed(1)} | ${last} |`);
    rmSync(to, { recursive: true });
  }
} finally {
  server.kill();
  rmSync(scratch, { recursive: true });
}
