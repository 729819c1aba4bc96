const MIB = 1024 * 1024;

/** What is to be copied. */
export interface Work {
  readonly files: number;
  readonly bytes: number;
}

export const sizeClasses = ['small', 'middle', 'large'] as const;
/** By length: requests decide how long a small file takes, bytes how long a large one does. */
export type SizeClass = (typeof sizeClasses)[number];
export type WorkBySize = Readonly<Record<SizeClass, Work>>;

/** From here on a file is not small: its bytes take longer than its requests. The packer of batches counts with the same (plan/packer.ts). */
export const MIDDLE_BYTES = 2 * MIB;
/** HDFS's usual block: from here on a file is large. */
export const LARGE_BYTES = 128 * MIB;

export function sizeClassOf(lengthBytes: number): SizeClass {
  if (lengthBytes < MIDDLE_BYTES) return 'small';
  return lengthBytes < LARGE_BYTES ? 'middle' : 'large';
}

export const noWork: WorkBySize = {
  small: { files: 0, bytes: 0 },
  middle: { files: 0, bytes: 0 },
  large: { files: 0, bytes: 0 },
};

/** Work of which only the sums are known: all of it in the class of its mean. */
export function workOfMean(files: number, bytes: number): WorkBySize {
  return { ...noWork, [sizeClassOf(files > 0 ? bytes / files : 0)]: { files, bytes } };
}

/** How fast one copier is with files of a class, whichever of the two is reached first. */
export interface Rate {
  readonly filesPerSecond: number;
  readonly bytesPerSecond: number;
}
export type Rates = Readonly<Record<SizeClass, Rate>>;

/** Assumed of one copier with one processor, near both clusters: no measurement of a user's own network. */
export const assumed = { bytesPerSecond: 50_000_000, filesPerSecond: 100, filesPerSecondOfTransfer: 10 } as const;

/** @param transfers  at once in one copier */
export function assumedRates(transfers: number): Rates {
  const filesPerSecond = Math.min(assumed.filesPerSecond, transfers * assumed.filesPerSecondOfTransfer);
  const rate = { filesPerSecond, bytesPerSecond: assumed.bytesPerSecond };
  return { small: rate, middle: rate, large: rate };
}

/** Seconds that one copier would take by itself. */
export function copierSeconds(work: WorkBySize, rates: Rates): number {
  const secondsOf = (name: SizeClass) => {
    const { files, bytes } = work[name];
    return Math.max(files / rates[name].filesPerSecond, bytes / rates[name].bytesPerSecond);
  };
  return sizeClasses.reduce((sum, name) => sum + secondsOf(name), 0);
}
