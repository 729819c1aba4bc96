// Clusters as they are seen from afar: behind a process that delays everything by a round trip.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { Arena } from './contestants.ts';
import { urlOf } from './requests.ts';
import { median } from './statistics.ts';

/** What a request takes longer than without the distance, as measured, ms. */
export interface Distance {
  readonly roundTripMs: number;
  /** On a connection that was there: one round trip. */
  readonly keptMs: number;
  /** On a new one: two. */
  readonly newMs: number;
}

export interface Distant extends AsyncDisposable {
  readonly arena: Arena;
  readonly distance: Distance;
  readonly pid: number;
}

const probes = 15;

const millisecondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

/** How long a namenode takes to answer, on a connection that was there and on a new one, ms. */
const answerMs = async (namenodeUrl: string): Promise<{ readonly keptMs: number; readonly newMs: number }> => {
  const url = urlOf(namenodeUrl, '/', 'GETFILESTATUS');
  const ask = async (dispatcher: Agent): Promise<string> => (await request(url, { dispatcher })).body.text();
  const [kept, fresh]: [number[], number[]] = [[], []];
  for (let i = 0; i < probes; i++) {
    const agent = new Agent();
    fresh.push(await millisecondsOf(() => ask(agent)));
    kept.push(await millisecondsOf(() => ask(agent)));
    await agent.close();
  }
  return { keptMs: median(kept), newMs: median(fresh) };
};

/** Puts the proxy between clients and everything else, the clusters' datanodes included. Ends with it. */
export const atDistance = async (arena: Arena, roundTripMs: number): Promise<Distant> => {
  const { source, destination, scratch } = arena;
  const ends = [source, destination];
  const namenodes = ends.map(({ namenodeUrl }) => new URL(namenodeUrl).host);
  const datanodes = ends.flatMap((cluster) => cluster.datanodes.map(({ httpAddress }) => httpAddress));
  const program = join(import.meta.dirname, 'delaying-proxy.ts');
  const args = [program, String(roundTripMs), namenodes.join(), datanodes.join()];
  const proxy = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(proxy.stdout, 'data')) as [Buffer];
  const [ofSource, ofDestination] = JSON.parse(line.toString()) as [number, number];
  const from = { ...source, namenodeUrl: `http://localhost:${ofSource}` };
  const to = { ...destination, namenodeUrl: `http://localhost:${ofDestination}` };
  const configFile = join(scratch, `clusters-${roundTripMs}ms.json`);
  const config = (await readFile(arena.configFile, 'utf8'))
    .replaceAll(source.namenodeUrl, from.namenodeUrl)
    .replaceAll(destination.namenodeUrl, to.namenodeUrl);
  await writeFile(configFile, config);
  const [near, far] = [await answerMs(source.namenodeUrl), await answerMs(from.namenodeUrl)];
  return {
    arena: { ...arena, source: from, destination: to, configFile },
    distance: { roundTripMs, keptMs: far.keptMs - near.keptMs, newMs: far.newMs - near.newMs },
    pid: proxy.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      proxy.stdin.end();
      if (proxy.exitCode === null) await once(proxy, 'exit');
    },
  };
};
