import { Bitmap } from '../../shared/job/bitmap.ts';
import type { Job } from '../../shared/job/job.ts';
import type { ClaimedBatch } from '../../shared/job/job-store.ts';
import { type BatchLine, LINE_END, lineHead, linesOf, manifestStart } from '../../shared/job/manifest-lines.ts';
import type { ManifestStore } from '../../shared/job/manifest.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import type { FileUnit } from '../../shared/job/unit.ts';
import { newJob } from './outcomes.ts';

/** Every so many batches one was tried again, in which this many units did not end well at their first try. */
const TRIED_AGAIN_EVERY = 100;
const UNCLEAN = 3;
/** Every so many batches one lost its copier before the last unit had an outcome. */
const DIED_EVERY = 1000;

/**
 * A job of any number of batches whose manifest and claims are made as they are read, and the reading counted: what holds something for each
 * batch holds it by itself.
 */
export class GeneratedJob {
  readonly job: Job;
  readonly batches: number;
  readonly units: number;
  readonly #unitsText: string;
  readonly #hasDeaths: boolean;
  /** Lines of the manifest that were read. */
  lines = 0;

  /** @param hasDeaths  whether copiers died */
  constructor(batches: number, units: number, hasDeaths: boolean) {
    this.batches = batches;
    this.units = units;
    this.#hasDeaths = hasDeaths;
    const spec = parseJobSpec({ source: 'a:/in', destination: 'b:/out' });
    const roots = [{ source: '/in', destination: '/out', kind: 'directory' as const }];
    this.job = newJob({ id: 'generated', spec, roots, phase: 'copying', expectedFiles: batches * units });
    const unit = (index: number): FileUnit => ({
      kind: 'file',
      root: 0,
      path: `d/f${index}`,
      lengthBytes: 1,
      modifiedAtMs: 1,
      blockBytes: 1,
      decision: 'copy',
    });
    this.#unitsText = Array.from({ length: units }, (_, index) => JSON.stringify(unit(index))).join();
  }

  isTriedAgain(batch: number): boolean {
    return batch % TRIED_AGAIN_EVERY === 1;
  }

  isDead(batch: number): boolean {
    return this.#hasDeaths && batch % DIED_EVERY === 2;
  }

  /** How many batches of a kind there are. */
  count(which: (batch: number) => boolean): number {
    let count = 0;
    for (let batch = 0; batch < this.batches; batch++) if (which(batch)) count += 1;
    return count;
  }

  claimOf(batch: number): ClaimedBatch {
    const done = new Bitmap(new Uint8Array(this.units / 8).fill(0xff));
    const clean = new Bitmap(done.bytes);
    if (this.isDead(batch)) for (const set of [done, clean]) set.delete(this.units - 1);
    const again = this.isTriedAgain(batch);
    if (again) for (let unit = 0; unit < UNCLEAN; unit++) clean.delete(unit);
    return { batch, claim: again ? 2 : 1, attempts: again ? 1 : 0, swept: 0, done, clean };
  }

  /** How many names a sweep asks for: of two claims and two attempts each, and of the dead ones' units. */
  get leftNames(): number {
    const ofDead = 2 * this.count((batch) => this.isDead(batch));
    return UNCLEAN * 2 * 2 * this.count((batch) => this.isTriedAgain(batch)) + ofDead;
  }

  readonly manifests: Pick<ManifestStore, 'read'> = {
    read: (_, from = manifestStart) => this.#read(from.batch, from.offsetBytes),
  };

  async *#read(batch: number, offsetBytes: number): AsyncGenerator<BatchLine> {
    let expected = 0;
    for (let before = 0; before < batch; before++) {
      expected += this.#headOf(before).length + this.#unitsText.length + LINE_END.length;
    }
    if (expected !== offsetBytes) throw new Error(`batch ${batch} begins at ${expected}, not at ${offsetBytes}`);
    for await (const line of linesOf(this.#chunks(batch), offsetBytes, (cause) => new Error(String(cause)))) {
      this.lines += 1;
      yield line;
    }
  }

  async *#chunks(from: number): AsyncGenerator<Uint8Array> {
    for (let batch = from; batch < this.batches; batch++) yield await Promise.resolve(Buffer.from(this.#lineOf(batch)));
  }

  #lineOf(batch: number): string {
    return `${this.#headOf(batch)}${this.#unitsText}${LINE_END}`;
  }

  #headOf(batch: number): string {
    return lineHead({ batch, units: { length: this.units } as FileUnit[] });
  }
}
