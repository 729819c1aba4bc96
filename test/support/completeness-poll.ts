import { setTimeout as sleep } from 'node:timers/promises';
import type { TestHdfs } from './hdfs.ts';

/** A reader that looks at a destination during a copy: every name it sees must hold a whole file. */
export class CompletenessPoll {
  readonly #hdfs: TestHdfs;
  readonly #root: string;
  readonly #lengths = new Map<string, number>();
  #running = true;
  #seen = 0;
  polls = 0;
  /** Names that were seen with another length than their source's. */
  readonly partial: string[] = [];

  /** @param source  as `TestHdfs.tree` gives it */
  constructor(hdfs: TestHdfs, root: string, source: Record<string, string>) {
    this.#hdfs = hdfs;
    this.#root = root;
    for (const [path, file] of Object.entries(source)) {
      if (!path.endsWith('/')) this.#lengths.set(path, Number(file.split(' ')[0]));
    }
  }

  async start(): Promise<void> {
    while (this.#running) {
      await this.#look();
      await sleep(30);
    }
  }

  stop(): void {
    this.#running = false;
  }

  /** Resolves when this share of the files stands at the destination. */
  async until(share: number): Promise<void> {
    while (this.#seen < share * this.#lengths.size) await sleep(5);
  }

  async #look(): Promise<void> {
    let seen = 0;
    const visit = async (path: string): Promise<void> => {
      const entries = await this.#hdfs.list(this.#root + path).catch(() => []);
      for (const { pathSuffix, type, length } of entries) {
        const child = `${path}/${pathSuffix}`;
        if (type === 'DIRECTORY') await visit(child);
        else if (!pathSuffix.startsWith('_hdfs-fanout.')) {
          seen += 1;
          if (this.#lengths.get(child) !== length) this.partial.push(`${child} ${length}`);
        }
      }
    };
    await visit('');
    this.#seen = seen;
    this.polls += 1;
  }
}
