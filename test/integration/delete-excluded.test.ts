import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { newHome, startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';
import { expectOneLine } from '../support/two-clusters.ts';

/** --delete-excluded: what a pattern leaves out at the source is deleted at the destination. */

const bed = inject('bed');
const make = (name: string, extra: readonly string[]) =>
  Mirror.make(bed, `excluded-${name}`, ['a', 'both/b', 'both/b.log', 'logs/deep/1'], extra);
const flags = ['--delete', '--delete-excluded', '--exclude', '*.log', '--exclude', 'logs/'];

describe.concurrent('--delete-excluded', () => {
  test('deletes what is left out, whether the source has it or not, and nothing the second time', async () => {
    const mirror = await make('patterns', ['both/new.log', 'extra/logs/2', 'other']);
    const { code, stderr, status } = await mirror.copy(flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Skipped': 2, 'Files Deleted': 5 });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b']);
    expect((await mirror.trashed()).filter((path) => !path.endsWith('/'))).toEqual(
      ['both/b.log', 'both/new.log', 'extra/logs/2', 'logs/deep/1', 'other'].sort(),
    );
    const again = await mirror.copy(flags);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 0 });
  });

  test('without it, all of that stays', async () => {
    const mirror = await make('without', ['both/new.log']);
    const before = await mirror.names();
    expect((await mirror.copy(flags.filter((flag) => flag !== '--delete-excluded'))).code).toBe(0);
    expect(await mirror.names()).toEqual(before);
  });

  test.each([
    [
      '--include',
      ['--include', '*.csv'],
      ['a', 'both/b', 'both/b.log', 'logs/deep/1'],
      ['both/', 'logs/', 'logs/deep/'],
    ],
    [
      '--include-pattern',
      ['--include-pattern', 'b*'],
      ['a', 'logs/deep/1'],
      ['both/', 'both/b', 'both/b.log', 'logs/', 'logs/deep/'],
    ],
  ])('knows %s; directories of both sides stay', async (name, chosen, deleted, left) => {
    const mirror = await make(name, []);
    const { code, status } = await mirror.copy(['--delete', '--delete-excluded', ...chosen]);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': deleted.length });
    expect(await mirror.names()).toEqual(left);
  });

  test('looks at what lies in a directory of --filters by itself', async () => {
    const mirror = await make('filters', []);
    const file = join(newHome(), 'filters');
    writeFileSync(file, '.*/logs\n.*/both\n.*/both/b\n');
    const { code, status } = await mirror.copy(['--delete', '--delete-excluded', '--filters', file]);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 1 });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b.log', 'logs/', 'logs/deep/', 'logs/deep/1']);
  });

  test('keeps temporary names, the trash and snapshottable directories', async () => {
    const mirror = await make('protected', [
      'logs/_hdfs-fanout.other.0.0.1.0',
      'home/.Trash/Current/x.log',
      'snap/y.log',
    ]);
    await mirror.pair.b.call('PUT', 'ALLOWSNAPSHOT', `${mirror.mirror}/snap`);
    const { code, status } = await mirror.copy(flags);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 3 });
    expect(await mirror.names()).toEqual([
      'a',
      'both/',
      'both/b',
      'home/',
      'home/.Trash/',
      'home/.Trash/Current/',
      'home/.Trash/Current/x.log',
      'logs/',
      'logs/_hdfs-fanout.other.0.0.1.0',
      'snap/',
    ]);
  });

  test('counts with the brake, and is told by a dry run', async () => {
    const mirror = await make('brake', []);
    const before = await mirror.names();
    const braked = await mirror.copy([...flags, '--max-delete', '1']);
    expect(braked.code).toBe(3);
    expect(braked.stderr).toContain("2 of the destination's 4 files");
    const dry = await mirror.copy([...flags, '--dry-run']);
    expect(dry.stdout.split('\n').filter((line) => line.startsWith('delete'))).toEqual([
      `delete    ${mirror.mirror}/both/b.log`,
      `delete    ${mirror.mirror}/logs  (with 1 files, 11 B)`,
    ]);
    expect(await mirror.names()).toEqual(before);
  });

  test('is refused without --delete, and beside what looks at lengths and times', async () => {
    const mirror = await make('refused', []);
    for (const [given, says] of [
      [['--delete-excluded'], 'it needs delete'],
      [['--delete', '--delete-excluded', '--min-size', '1'], 'cannot go with minSize'],
      [['--delete', '--delete-excluded', '--max-size', '1G'], 'cannot go with minSize'],
      [['--delete', '--delete-excluded', '--modified-after', '7d'], 'cannot go with minSize'],
      [['--delete', '--delete-excluded', '--modified-before', '7d'], 'cannot go with minSize'],
    ] as const) {
      const result = await mirror.copy(given);
      expectOneLine(result, ['options.deleteExcluded', says]);
      expect(result.code).toBe(2);
    }
  });

  test('keeps what is chosen and came to the source meanwhile', async () => {
    const mirror = await make('back', ['new']);
    const { a } = mirror.pair;
    let listed = 0;
    // Listed by the plan and by the search for extras, then once more before anything is deleted.
    await using proxy = await FaultProxy.start(bed.a, {
      react: async ({ operation, path }) => {
        if (operation === 'LISTSTATUS_BATCH' && path === mirror.source && ++listed === 4)
          await a.put(`${mirror.source}/new`, 'new');
        return undefined;
      },
    });
    const conf = mirror.pair.conf({ A: { url: proxy.url } });
    const { status } = await mirror.copy(flags, { conf });
    expect(status).toMatchObject({ 'Files Deleted': 2, 'Deletes Kept': { 'the source has it again': 1 } });
    expect(await mirror.names()).toContain('new');
  });
});

test('--delete says once what a source that others change may show, unless it is a snapshot or nobody is to be told', async () => {
  const mirror = await make('note', []);
  const { pair, source, mirror: to } = mirror;
  const told = 'a copy of what is renamed there meanwhile may be';
  const run = (from: string, ...more: string[]) =>
    startCli(['copy', '--exact', '--delete', '--dry-run', ...more, `A:${from}`, `B:${to}`], {
      conf: pair.conf(),
      home: pair.home,
    }).ended;
  expect((await run(source)).stderr.split(told)).toHaveLength(2);
  expect((await run(source)).stderr).toContain(`${told} in the trash alone until the next run`);
  const backup = await run(source, '--force', '--backup-dir', `${pair.root}/kept`);
  expect(backup.stderr).toContain(`${told} in the backup alone until the next run`);
  expect((await run(source, '--skip-trash')).stderr).toContain(`${told} missing until the next run`);
  expect((await run(source, '--silent')).stderr).not.toContain(told);
  await pair.a.call('PUT', 'ALLOWSNAPSHOT', source);
  await pair.a.call('PUT', 'CREATESNAPSHOT', source, { snapshotname: 's' });
  expect((await run(`${source}/.snapshot/s`)).stderr).not.toContain(told);
});
