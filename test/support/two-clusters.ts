import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type CliOptions, type CliResult, newHome, runCli } from './cli.ts';
import { TestHdfs } from './hdfs.ts';
import type { SharedBed } from './shared-bed.ts';

/** One cluster of a configuration: its namenode's address, and any other field. */
export type ClusterFields = { readonly url?: string } & Record<string, unknown>;

/** A directory of a test's own, under the same path on both clusters, and what is expected of commands that touch it. */
export class TwoClusters {
  readonly root: string;
  readonly a: TestHdfs;
  readonly b: TestHdfs;
  readonly home = newHome();
  readonly #bed: SharedBed;

  private constructor(bed: SharedBed, root: string) {
    this.#bed = bed;
    this.root = root;
    this.a = new TestHdfs(bed.a);
    this.b = new TestHdfs(bed.b);
  }

  static async make(bed: SharedBed, name: string): Promise<TwoClusters> {
    const pair = new TwoClusters(bed, `/${name}`);
    await Promise.all([pair.a.mkdirs(pair.root), pair.b.mkdirs(pair.root)]);
    return pair;
  }

  /** A configuration with clusters A and B as they are, changed and with others as told. */
  conf(clusters: Record<string, ClusterFields> = {}): string {
    const all: Record<string, ClusterFields> = { A: {}, B: {}, ...clusters };
    const definitions = Object.entries(all).map(([name, { url, ...fields }]) => ({
      name,
      user: 'root',
      nameservices: [{ urls: [url ?? (name === 'A' ? this.#bed.a : this.#bed.b)], mounts: ['/'] }],
      ...fields,
    }));
    return writeConf(JSON.stringify({ clusters: definitions }));
  }

  run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return runCli(args, { conf: this.#bed.configFile, home: this.home, ...options });
  }

  async trees(): Promise<{ a: Record<string, string>; b: Record<string, string> }> {
    const [a, b] = await Promise.all([this.a.tree(this.root), this.b.tree(this.root)]);
    return { a, b };
  }

  /** Runs a command that must end with this code and one line that says all of this, and change nothing on either side. */
  async expectRefused(
    args: readonly string[],
    { code, says, conf, home }: { code: number; says: readonly string[]; conf?: string; home?: string },
  ): Promise<CliResult> {
    const before = await this.trees();
    const result = await this.run(args, { ...(conf === undefined ? {} : { conf }), ...(home ? { home } : {}) });
    expectOneLine(result, says);
    expect(result.code, result.stderr).toBe(code);
    expect(await this.trees()).toEqual(before);
    return result;
  }
}

export function writeConf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-conf-')), 'clusters.json');
  writeFileSync(file, text);
  return file;
}

/** One line for a person: no stack trace, and all of these words. */
export function expectOneLine({ stderr }: CliResult, says: readonly string[]): void {
  expect(stderr).toMatch(/^hdfs-fanout: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat (?:async )?\S+ \(|\bat file:|node:internal|\.java:\d+/);
  for (const words of says) expect(stderr).toContain(words);
}

/** Names in a tree that only a copy that is under way may leave. */
export function temporaryNames(tree: Record<string, string>): string[] {
  return Object.keys(tree).filter((path) => path.includes('_hdfs-fanout.'));
}
