/** One series of Prometheus's text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

const METADATA = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/gy;

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. @throws Error on what it does not allow */
export function parseMetrics(text: string): readonly Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families: Family[] = [];
  const help = new Map<string, string>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, word, of = '', rest = ''] = METADATA.exec(line) ?? [];
    if (word === 'HELP') help.set(of, rest);
    else if (word === 'TYPE') {
      if (families.some(({ name }) => name === of)) throw new Error(`two groups of ${of}`);
      families.push({ name: of, help: help.get(of) ?? '', type: rest, samples: [] });
    } else {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      const family = families.at(-1);
      if (name === '' || !family) throw new Error(`no sample: ${line}`);
      const own = family.type === 'histogram' ? /_(?:bucket|sum|count)$/ : /$^/;
      if (name.replace(own, '') !== family.name) throw new Error(`${name} stands in the group of ${family.name}`);
      family.samples.push({ name, labels: labelsIn(labels), value: numberOf(value) });
    }
  }
  return families;
}

function labelsIn(text: string): Record<string, string> {
  const found = [...text.matchAll(LABEL)];
  if (found.map(([all]) => all).join('') !== text) throw new Error(`no labels: {${text}}`);
  const names = found.map(([, name]) => name);
  if (new Set(names).size < names.length) throw new Error(`a label twice: {${text}}`);
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}

function numberOf(text: string): number {
  if (!/^(?:[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|NaN|[+-]Inf)$/.test(text)) throw new Error(`no number: ${text}`);
  return Number(text.replace('Inf', 'Infinity'));
}

/** What `promtool check metrics` would complain of, and series that come twice. @see prometheus/client_golang's testutil/promlint */
export function problemsOf(families: readonly Family[]): string[] {
  return families.flatMap(({ name, help, type, samples }) => {
    const wrong = (is: boolean, why: string) => (is ? [`${name}: ${why}`] : []);
    const keys = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]));
    const labels = samples.flatMap((sample) => Object.keys(sample.labels));
    return [
      ...wrong(help === '', 'no help'),
      ...wrong(!['counter', 'gauge', 'histogram'].includes(type), `the type ${type}`),
      ...wrong((type === 'counter') !== name.endsWith('_total'), 'counters, and no others, end in _total'),
      ...wrong(/_(?:bucket|count|sum|info)$/.test(name) && !name.endsWith('_info'), 'a reserved ending'),
      ...wrong(/counter|gauge|histogram/.test(name), 'its type is in its name'),
      ...wrong(!/^[a-z][a-z0-9_]*$/.test(name), 'no snake case'),
      ...wrong(/_(?:ms|milliseconds|minutes|hours|days|kib|mib|kilobytes|megabytes)(?:_|$)/.test(name), 'no base unit'),
      ...wrong(!name.startsWith('hdfs_fanout_'), 'no prefix'),
      ...wrong(new Set(keys).size < keys.length, 'a series twice'),
      ...wrong(
        labels.some((label) => /^__|[A-Z]/.test(label)),
        'a bad label',
      ),
      ...wrong(type === 'counter' && samples.some(({ value }) => !(value >= 0)), 'a counter below 0'),
      ...wrong(type === 'histogram' && !samples.every((sample) => isWhole(sample, samples)), 'a bad histogram'),
    ];
  });
}

/** Whether a sample of a histogram fits what else there is of its series: buckets grow, and the last one holds all. */
function isWhole({ name, labels, value }: Sample, all: readonly Sample[]): boolean {
  if (!name.endsWith('_bucket')) return value >= 0;
  const keyOf = ({ le: _, ...others }: Readonly<Record<string, string>>) =>
    JSON.stringify(Object.entries(others).sort());
  const series = all.filter((other) => keyOf(other.labels) === keyOf(labels));
  const bound = (sample: Sample) => Number(sample.labels['le']?.replace('Inf', 'Infinity'));
  const buckets = series.filter((other) => other.name === name).sort((one, other) => bound(one) - bound(other));
  const count = series.find((other) => other.name === name.replace(/_bucket$/, '_count'));
  const grows = buckets.every((bucket, index) => index === 0 || bucket.value >= (buckets[index - 1]?.value ?? 0));
  return grows && buckets.at(-1)?.labels['le'] === '+Inf' && buckets.at(-1)?.value === count?.value;
}

/** The values of a metric, `hdfs_fanout_` left out, by the values of its labels but for the job's id: `copied`, `A OPEN`, or `` where there are none. */
export function valuesOf(families: readonly Family[], name: string): Record<string, number> {
  const samples = families.flatMap((family) =>
    family.samples.filter((sample) => sample.name === `hdfs_fanout_${name}`),
  );
  return Object.fromEntries(
    samples.map(({ labels: { job_id: _, ...labels }, value }) => [Object.values(labels).join(' '), value]),
  );
}
