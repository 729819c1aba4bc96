import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from '../../cli/program.ts';
import { manPage } from '../../scripts/man.ts';
import { requirePrograms } from '../bed/packages.ts';

const page = manPage(program);
const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];

describe('the manual page', () => {
  it('tells of every option of every command, and is the same each time', () => {
    const plain = page.replaceAll('\\-', '-');
    const flags = all(program).flatMap(({ options }) => options.map((option) => option.flags));
    expect(flags.length).toBeGreaterThan(100);
    expect(flags.filter((text) => !plain.includes(`\\fB${text}\\fR`))).toEqual([]);
    for (const name of ['copy', 'jobs', 'jobs prune', 'clusters import', 'completion'])
      expect(plain).toContain(`.SS "hdfs-fanout ${name} [options]`);
    expect(manPage(program)).toBe(page);
  });

  it('holds no line that is taken for a request by mistake', () => {
    const requests = page.split('\n').filter((line) => /^[.']/.test(line));
    expect(requests.filter((line) => !/^\.(?:TH|SH|SS|PP|TP|nf|fi)(?: |$)/.test(line))).toEqual([]);
  });

  it('is rendered without a warning', async () => {
    await requirePrograms(['groff']);
    const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-man-')), 'hdfs-fanout.1');
    writeFileSync(file, page);
    const { stdout, stderr, status } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-P-cbou', '-rLL=80n', file], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain("copy --dry-run 'staging:/logs/dt=2024-{01,02}-*' prod:/logs");
    expect(stdout).toContain('~/.webhdfs.cfg');
    expect(stdout).toContain('…');
  });
});
