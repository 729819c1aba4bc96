import { expect } from 'vitest';
import type { CliOptions, CliResult } from './cli.ts';
import type { SharedBed } from './shared-bed.ts';
import { TwoClusters } from './two-clusters.ts';

/** What `hdfs dfs -rm` of root's would have put a path to. */
export const inTrash = (path: string): string => `/user/root/.Trash/Current${path}`;

/** A tree on A and its mirror on B. */
export class Mirror {
  readonly pair: TwoClusters;
  readonly source: string;
  readonly mirror: string;

  private constructor(pair: TwoClusters) {
    this.pair = pair;
    this.source = `${pair.root}/tree`;
    this.mirror = `${pair.root}/mirror`;
  }

  /** @param kept  files of both trees. @param extra  files that only the mirror has */
  static async make(bed: SharedBed, name: string, kept: readonly string[], extra: readonly string[]): Promise<Mirror> {
    const made = new Mirror(await TwoClusters.make(bed, `mirror-${name}`));
    const { a, b } = made.pair;
    await Promise.all([
      ...kept.flatMap((file) => [a.put(`${made.source}/${file}`, file), b.put(`${made.mirror}/${file}`, file)]),
      ...extra.map((file) => b.put(`${made.mirror}/${file}`, file)),
    ]);
    return made;
  }

  copy(flags: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const { source, mirror } = this;
    return this.pair.run(['copy', '--silent', '--exact', ...flags, `A:${source}`, `B:${mirror}`], options);
  }

  resume(job: string, flags: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
    return this.pair.run(['copy', '--silent', '--resume', job, ...flags], options);
  }

  /** Files and directories of the mirror, without what they hold. */
  async names(): Promise<string[]> {
    return Object.keys(await this.pair.b.tree(this.mirror)).map((path) => path.slice(1));
  }

  /** What of the mirror lies in root's trash on B. */
  async trashed(): Promise<string[]> {
    const root = inTrash(this.mirror);
    if (!(await this.pair.b.exists(root))) return [];
    return Object.keys(await this.pair.b.tree(root)).map((path) => path.slice(1));
  }

  async expectEqual(): Promise<void> {
    const { a, b } = this.pair;
    expect(await b.tree(this.mirror)).toEqual(await a.tree(this.source));
  }
}
