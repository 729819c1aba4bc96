import { bytesText } from '../shared/bytes.ts';
import { printable } from '../shared/errors.ts';
import { type SizeClass, sizeClasses } from '../shared/cost/work.ts';
import type { Band } from '../shared/estimate/collector.ts';
import type { Estimate, PlaceEstimate } from '../shared/estimate/estimate.ts';
import type { Room } from '../shared/storage/capabilities.ts';
import { wrapped } from './doctor-table.ts';

const WIDTH = 80;
const NAME_COLUMNS = 14;

/** An estimate as a person reads it, in 80 columns. Only a path that is longer goes beyond. */
export function estimateText(
  { source, destination }: { readonly source: readonly string[]; readonly destination: string },
  told: Estimate,
): string {
  const parts = [
    [`Estimate of ${printable(source.join(' '))} -> ${printable(destination)}\n`],
    treeRows(told),
    workRows(told),
    histogram(told.collected.bands),
    told.collected.largest.length > 0 ? largestRows(told) : [],
    roomRows(told),
    timeRows(told),
    notes(told),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join(''))
    .join('\n');
}

function treeRows({ collected, directories, leftOut, planSeconds }: Estimate): string[] {
  const { source, small, depth } = collected;
  const levels = depth === 0 ? '' : `, ${depth} ${depth === 1 ? 'level' : 'levels'} deep`;
  const share = (part: number, all: number) => (all > 0 ? `${((part / all) * 100).toFixed(1)}%` : '0%');
  return [
    row('source', `${workText(source)}, ${count(directories, 'directory', 'directories')}${levels}`),
    row(
      'small files',
      `${share(small.files, source.files)} of the files are below 2 MiB, with ${share(small.bytes, source.bytes)} of the bytes`,
    ),
    ...Object.entries(leftOut).map(([why, number]) => row('left out', `${number} by ${why}`)),
    row('looked at in', durationText(planSeconds)),
  ];
}

function workRows({ collected, deletes, split, notSplit }: Estimate): string[] {
  const { actions, skipped, failing } = collected;
  const names = {
    copy: 'to copy',
    overwrite: 'to overwrite',
    skip: 'to skip',
    vanished: 'vanished',
    changed: 'changed',
    fail: 'would fail',
  } as const;
  const why = Object.entries(skipped).map(([reason, files]) => `${files} ${reason}`);
  const rows = Object.entries(names).flatMap(([action, name]) => {
    const work = actions[action as keyof typeof names];
    if (!work && action !== 'copy') return [];
    const reasons = action === 'skip' && why.length > 0 ? `: ${why.join(', ')}` : '';
    return [row(name, `${workText(work ?? { files: 0, bytes: 0 })}${reasons}`)];
  });
  return [
    ...rows,
    ...failing.map(({ path, reason }) => indented(`${printable(path)}: ${printable(reason)}`)),
    ...Object.entries(split).map(([how, files]) => row('in chunks', `${count(files, 'file', 'files')}, ${how}`)),
    ...Object.entries(notSplit).map(([reason, files]) =>
      row('one stream', `${count(files, 'long file', 'long files')}: ${reason}`),
    ),
    ...(deletes
      ? [row('to delete', `${workText(deletes)}${deletes.refused === undefined ? '' : `: ${deletes.refused}`}`)]
      : []),
  ];
}

function histogram(bands: readonly Band[]): string[] {
  const cells = bands
    .filter(({ files }) => files > 0)
    .map(({ upTo, files, bytes, copied }) => [
      upTo === undefined ? 'longer' : upTo === 0 ? 'empty' : `up to ${bytesText(upTo)}`,
      grouped(files),
      bytesText(bytes),
      grouped(copied.files),
      bytesText(copied.bytes),
    ]);
  if (cells.length === 0) return [];
  const line = ([name = '', ...numbers]: readonly string[]) =>
    `${name.padEnd(NAME_COLUMNS + 4)}${numbers.map((cell) => cell.padStart(14)).join('')}\n`;
  return [line(['length', 'files', 'bytes', 'to copy', 'bytes']), ...cells.map(line)];
}

function largestRows({ collected: { largest } }: Estimate): string[] {
  return largest.map(
    ({ path, bytes }, index) =>
      `${(index === 0 ? 'largest' : '').padEnd(NAME_COLUMNS)}${bytesText(bytes).padStart(9)}  ${printable(path)}\n`,
  );
}

function roomRows({ room, needed }: Estimate): string[] {
  const wants = needed.bytes === undefined ? 'an unknown number of bytes' : bytesText(needed.bytes);
  return [
    row('needs', `${wants} with replicas, ${grouped(needed.names)} names`),
    row('has', freeText(room)),
    ...quotaRows(room),
    ...needed.lacks.map((what) => row('TOO LITTLE', what)),
  ];
}

function freeText(room: Room | undefined): string {
  const { freeBytes, capacityBytes } = room ?? {};
  if (freeBytes === undefined) return 'free space unknown: the server does not tell';
  return `${bytesText(freeBytes)} free${capacityBytes === undefined ? '' : ` of ${bytesText(capacityBytes)}`}`;
}

function quotaRows(room: Room | undefined): string[] {
  const quotas = room?.quotas;
  if (!quotas) return [row('quotas', 'unknown: the server does not tell')];
  if (quotas.length === 0) return [row('quotas', 'none that it tells of, at the destination or above')];
  return quotas.map(({ path, namesLeft, bytesLeft }) => {
    const names = namesLeft === undefined ? [] : [`${grouped(namesLeft)} names`];
    const bytes = bytesLeft === undefined ? [] : [`${bytesText(bytesLeft)} with replicas`];
    return row('quota left', `${[...names, ...bytes].join(', ')} at ${printable(path)}`);
  });
}

function timeRows({ here, aws }: Estimate): string[] {
  const line = (where: string, of: PlaceEstimate, cost: string) => {
    const copiers = count(of.copiers, 'copier', 'copiers');
    const how = `${copiers} of ${count(of.transfers, 'transfer', 'transfers')}`;
    return (
      `${where.padEnd(NAME_COLUMNS)}${how.padEnd(32)}${durationText(of.seconds).padStart(14)}${cost.padStart(12)}`.trimEnd() +
      '\n'
    );
  };
  const { lambda, stepFunctions, dynamo, s3, total } = aws.dollars;
  const { transitGateway, natGateway } = aws.network;
  const services = { Lambda: lambda, 'Step Functions': stepFunctions, DynamoDB: dynamo, S3: s3 };
  return [
    line('here', here, ''),
    line('on AWS', aws, dollarsText(total)),
    indented(
      `of which ${Object.entries(services)
        .map(([name, dollars]) => `${name} ${dollarsText(dollars)}`)
        .join(', ')}`,
    ),
    row(
      'network',
      `${dollarsText(transitGateway)} more for each leg through a Transit Gateway, ${dollarsText(natGateway)} through a NAT gateway`,
    ),
    ...boundRows(here, aws),
  ];
}

function boundRows(here: PlaceEstimate, aws: PlaceEstimate): string[] {
  const told = (where: string, { bound }: PlaceEstimate) => (bound === 'copiers' ? [] : [`${where} by ${bound}`]);
  const bounds = [...told('here', here), ...told('on AWS', aws)];
  return bounds.length > 0 ? [row('bounded', bounds.join(', '))] : [];
}

function notes({ rates, aws, batches }: Estimate): string[] {
  const { filesPerSecond, filesPerSecondOfTransfer, bytesPerSecond } = rates.assumed;
  // Of what was measured one of the two is the bound.
  const isKnown = (name: SizeClass) =>
    [rates.here[name].filesPerSecond, rates.here[name].bytesPerSecond].includes(Infinity);
  const rate = (name: SizeClass) => {
    const { filesPerSecond: files, bytesPerSecond: bytes } = rates.here[name];
    return files === Infinity ? `${bytesText(bytes)}/s ${name}` : `${files.toFixed(1)} ${name} files/s`;
  };
  const unknown = sizeClasses.filter((name) => !isKnown(name));
  const rest = `${Math.round(bytesPerSecond / 1e6)} MB/s`;
  const lacking =
    unknown.length > 0
      ? ` The sample had no ${unknown.join(' and no ')} files: of them ${rest} a copier are assumed.`
      : '';
  const told = rates.isMeasured
    ? `Measured from this machine with a sample: ${sizeClasses.filter(isKnown).map(rate).join(', ')} (a copier).${lacking} That more copiers are as much faster, and that Lambdas are as fast, is assumed.`
    : `Assumed, not measured: ${filesPerSecondOfTransfer} files/s a transfer, ${filesPerSecond} files/s and ${Math.round(bytesPerSecond / 1e6)} MB/s a copier.`;
  const { region, asOf } = aws.prices;
  return [
    told,
    `Times are of copying alone. Prices on demand of ${region}, ${asOf}: ${batches} batches, copiers of 1,769 MB (arm64). KMS, secrets, logs and what a deployment costs that stands idle are not in them.`,
  ].flatMap((text) => wrapped(text, WIDTH).map((line) => `${line}\n`));
}

function row(name: string, text: string): string {
  const [first = '', ...rest] = wrapped(text, WIDTH - NAME_COLUMNS);
  return `${name.padEnd(NAME_COLUMNS)}${first}\n${rest.map((line) => `${' '.repeat(NAME_COLUMNS)}${line}\n`).join('')}`;
}

function indented(text: string): string {
  return row('', text);
}

function workText({ files, bytes }: { readonly files: number; readonly bytes: number }): string {
  return `${count(files, 'file', 'files')}, ${bytesText(bytes)}`;
}

function count(number: number, one: string, many: string): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** `1,234,567`. */
function grouped(number: number): string {
  return number.toLocaleString('en-US');
}

function dollarsText(dollars: number): string {
  if (dollars > 0 && dollars < 0.01) return 'below $0.01';
  return dollars.toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}

/** `8 s`, `12 min`, `3 h 20 min`, `4 d 5 h`. */
export function durationText(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
