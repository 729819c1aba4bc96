// Where a Node process spends its time, from what `node --cpu-prof` wrote.
import { readFile } from 'node:fs/promises';

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}
interface CpuProfile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** `…/node_modules/undici/lib/core/util.js` is undici's to a reader. */
const placeOf = (url: string): string => {
  const library = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return library ?? (url.startsWith('node:') ? url : (url.split('/').at(-1) ?? ''));
};

const nameOf = ({ functionName, url, lineNumber }: Node['callFrame']): string =>
  `${functionName || `(anonymous:${lineNumber + 1})`}  ${placeOf(url)}`.trimEnd();

const sumBy = (profile: CpuProfile, key: (node: Node) => string): Map<string, number> => {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const sums = new Map<string, number>();
  for (const [i, id] of profile.samples.entries()) {
    const node = nodes.get(id);
    if (!node || node.callFrame.functionName === '(idle)') continue;
    sums.set(key(node), (sums.get(key(node)) ?? 0) + (profile.timeDeltas[i] ?? 0));
  }
  return sums;
};

const lines = (sums: ReadonlyMap<string, number>, most: number): string[] => {
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  const sorted = [...sums].sort(([, a], [, b]) => b - a).slice(0, most);
  return sorted.map(([name, micros]) => {
    const percent = ((100 * micros) / total).toFixed(1).padStart(5);
    return `  ${percent} %  ${(micros / 1e6).toFixed(2).padStart(6)} s  ${name}`;
  });
};

/** Self time by library and by function; idle time left out. */
export const summarize = async (file: string): Promise<string> => {
  const profile = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
  const places = sumBy(profile, ({ callFrame }) => placeOf(callFrame.url) || callFrame.functionName);
  const functions = sumBy(profile, ({ callFrame }) => nameOf(callFrame));
  return ['by place', ...lines(places, 12), 'by function', ...lines(functions, 25)].join('\n');
};
