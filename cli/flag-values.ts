import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { messageOf, SpecError } from '../shared/errors.ts';
import { type Pair, pairOfLine } from '../shared/job/pair.ts';
import { parseRate } from '../shared/limits/rate.ts';
import { attributeNames } from '../shared/preserve/attributes.ts';

/** @throws SpecError that names a line that is no pair */
export function pairsIn(file: string): Pair[] {
  const pairs = linesOf('--pairs', file).map((line) => {
    const pair = pairOfLine(line);
    if (!pair)
      throw new SpecError(
        `--pairs: ${file} has a line that is no source,destination: ${line}`,
        'quote paths with commas',
      );
    return pair;
  });
  if (pairs.length === 0) throw new SpecError(`--pairs: ${file} names nothing`);
  return pairs;
}

/** The lines of a file that hold something. @throws SpecError when it cannot be read */
export function linesOf(flag: string, file: string): string[] {
  try {
    const text = readFileSync(file, 'utf8');
    return text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .filter((line) => line !== '');
  } catch (error) {
    throw new SpecError(`${flag}: ${file} cannot be read: ${messageOf(error)}`, undefined, error);
  }
}

/** @throws SpecError that names each word that is no attribute */
export function attributesOf(list: string): string[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !attributeNames.some((known) => known === name));
  if (unknown.length > 0) {
    const quoted = unknown.map((name) => `"${name}"`).join(', ');
    throw new SpecError(`--attributes: ${quoted} is none of them`, `choose of ${attributeNames.join(', ')}`);
  }
  return names;
}

export function andAnother(value: string, values: readonly string[]): string[] {
  return [...values, value];
}

/** Bytes as a person writes them: `4096`, `10M`. */
export function sizeInBytes(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  try {
    const bytes = parseRate(text);
    if (bytes !== 'off') return bytes;
  } catch {
    // Said below, in words of a size.
  }
  throw new InvalidArgumentError('It is no size: write bytes, or 10K, 10M, 10G, 10T (multiples of 1,024).');
}

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

export function wholeNumberOrOff(text: string): number | 'off' {
  return text === 'off' ? text : wholeNumber(text);
}

export function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It is no port: 0 to 65535.');
  return Number(text);
}

export function positiveNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It is not a whole number of at least 1.');
  return Number(text);
}
