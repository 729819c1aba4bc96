import { type SizeClass, sizeClassOf, sizeClasses } from '../cost/work.ts';
import type { FileUnit } from '../job/unit.ts';

/** Files of each class that are kept: enough for all transfers to be at work for a while, few enough to be removed again soon. */
const KEPT: Readonly<Record<SizeClass, number>> = { small: 200, middle: 40, large: 8 };

/**
 * Chooses of each class of lengths some files by chance, each as likely as any other, in one pass and without holding more than these.
 * @see Vitter, Random Sampling with a Reservoir (1985), algorithm R
 */
export class Sampler {
  readonly #random: () => number;
  readonly #seen: Record<SizeClass, number> = { small: 0, middle: 0, large: 0 };
  readonly #kept: Record<SizeClass, FileUnit[]> = { small: [], middle: [], large: [] };

  /** @param random  from 0 to less than 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** A file that is to be copied. */
  add(unit: FileUnit): void {
    const size = sizeClassOf(unit.lengthBytes);
    const seen = this.#seen[size]++;
    const at = seen < KEPT[size] ? seen : Math.floor(this.#random() * (seen + 1));
    if (at < KEPT[size]) this.#kept[size][at] = unit;
  }

  /** The files, as they are copied into one empty directory: each whole, under a name that tells its class. */
  get units(): ReadonlyMap<SizeClass, readonly FileUnit[]> {
    return new Map(
      sizeClasses.map((size) => [size, this.#kept[size].map((unit, index) => alone(unit, `${size}${index}`))]),
    );
  }
}

function alone(unit: FileUnit, flatName: string): FileUnit {
  const { stands, replaces, reason, split, ...whole } = unit;
  return { ...whole, flatName, decision: 'copy' };
}
