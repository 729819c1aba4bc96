import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { Estimate } from '../../shared/estimate/estimate.ts';
import type { CliResult } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What an estimate tells beforehand is what the copy then does; and it changes nothing. */

const bed = inject('bed');

function estimateIn({ stdout, stderr }: CliResult): Estimate {
  const line = stdout.split('\n').find((text) => text.startsWith('{"type":"estimate"'));
  if (line === undefined) throw new Error(`no estimate in: ${stdout}${stderr}`);
  return JSON.parse(line) as Estimate;
}

async function mixedTree(pair: TwoClusters): Promise<void> {
  const { a, root } = pair;
  await a.put(`${root}/tree/empty`, '');
  for (let i = 0; i < 12; i++) await a.put(`${root}/tree/d${i % 3}/e/f${i}`, content(`f${i}`, 1000 + i));
  await a.put(`${root}/tree/middle`, content('middle', 3_000_000));
  await a.put(`${root}/tree/_tmp/left-out`, 'x');
}

describe.concurrent('an estimate', () => {
  test('tells what the copy then does, and changes nothing', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-counts');
    const { a, b, root } = pair;
    await mixedTree(pair);
    const job = ['--exact', '--force', '--preserve', '--delete', '--compare', 'time', '--exclude', '_tmp'];
    const ends = [`A:${root}/tree`, `B:${root}/tree`];
    await pair.run(['copy', '--silent', ...job, ...ends]);
    // Since then: one is new, one has another length, one another time and the same content, one is only there, one is gone.
    await a.put(`${root}/tree/new`, content('new', 5000));
    await a.put(`${root}/tree/d0/e/f0`, content('other', 2000));
    await a.call('PUT', 'SETTIMES', `${root}/tree/d1/e/f1`, { modificationtime: '1700000000000' });
    await b.put(`${root}/tree/extra`, 'only there');
    await b.call('DELETE', 'DELETE', `${root}/tree/d2/e/f2`);
    const before = await pair.trees();
    const estimated = await pair.run(['estimate', '--json', ...job, ...ends]);
    expect(estimated.code, estimated.stderr).toBe(0);
    expect(await pair.trees()).toEqual(before);
    const { collected, deletes, leftOut, directories } = estimateIn(estimated);
    const { status } = await pair.run(['copy', '--silent', ...job, ...ends]);
    const { copy, overwrite, skip } = collected.actions;
    expect(collected.source).toEqual({ files: status['Files Expected'], bytes: status['Size Expected'] });
    expect((copy?.files ?? 0) + (overwrite?.files ?? 0)).toBe(status['Files Copied']);
    expect((copy?.bytes ?? 0) + (overwrite?.bytes ?? 0)).toBe(status['Size Copied']);
    expect(skip).toEqual({ files: status['Files Skipped'], bytes: status['Size Skipped'] });
    expect(collected.skipped).toEqual(status.Skipped);
    expect(deletes).toEqual({ files: status['Files Deleted'], bytes: status['Size Deleted'] });
    expect(leftOut).toEqual(status['Filtered Out']);
    expect({ copy, overwrite }).toMatchObject({ copy: { files: 2 }, overwrite: { files: 1, bytes: 2000 } });
    expect({ directories, depth: collected.depth }).toEqual({ directories: 7, depth: 3 });
    expect(collected.largest[0]).toEqual({ path: `${root}/tree/middle`, bytes: 3_000_000 });
    const bands = collected.bands.filter(({ files }) => files > 0).map(({ upTo, files }) => [upTo, files]);
    expect(bands).toEqual([
      [0, 1],
      [65_536, 13],
      [16 * 1024 ** 2, 1],
    ]);
  });

  test('asks for no file with --compare time', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-free');
    const { root } = pair;
    await mixedTree(pair);
    const job = ['--exact', '--force', '--attributes', 'times', '--compare', 'time'];
    const ends = [`A:${root}/tree`, `B:${root}/tree`];
    await pair.run(['copy', '--silent', ...job, ...ends]);
    await using source = await FaultProxy.start(bed.a);
    await using destination = await FaultProxy.start(bed.b);
    const conf = pair.conf({ A: { url: source.url }, B: { url: destination.url } });
    const { code, stdout } = await pair.run(['estimate', ...job, ...ends], { conf });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^to copy {7}0 files, 0 B$/m);
    const asked = [...source.requests, ...destination.requests].filter(({ path }) =>
      /\/(?:f\d+|middle|empty)/.test(path),
    );
    expect(asked).toEqual([]);
    const operations = new Set([...source.requests, ...destination.requests].map(({ operation }) => operation));
    for (const changing of ['MKDIRS', 'CREATE', 'DELETE', 'RENAME']) expect(operations).not.toContain(changing);
  });

  test('is a text of 80 columns that says what is assumed', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-text');
    const { root } = pair;
    await mixedTree(pair);
    const { code, stdout, stderr } = await pair.run(['estimate', '--silent', `A:${root}/tree`, `B:${root}/new`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const words of [
      '15 files, 2.9 MiB, 8 directories, 3 levels deep',
      'free of',
      'quotas        none that it tells of, at the destination or above',
      'on AWS',
      'Assumed, not measured',
      'us-east-1, November 2026',
    ])
      expect(stdout).toContain(words);
  });

  test('takes prices of another region from a file', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-prices');
    const { root } = pair;
    await mixedTree(pair);
    const file = join(pair.home, 'prices.json');
    const ends = [`A:${root}/tree`, `B:${root}/new`];
    writeFileSync(file, JSON.stringify({ region: 'eu-central-1', asOf: 'today', stateTransition: 1 }));
    const { aws } = estimateIn(await pair.run(['estimate', '--json', '--prices', file, ...ends]));
    expect(aws.prices).toMatchObject({ region: 'eu-central-1', asOf: 'today', lambdaRequest: 0.000_000_2 });
    expect(aws.dollars.stepFunctions).toBe(
      aws.dollars.total - aws.dollars.lambda - aws.dollars.dynamo - aws.dollars.s3,
    );
    expect(aws.dollars.stepFunctions).toBeGreaterThan(10);
    writeFileSync(file, JSON.stringify({ region: 'eu-central-1', asOf: 'today', transition: 1 }));
    const args = ['estimate', '--prices', file, ...ends];
    await pair.expectRefused(args, { code: 2, says: ['--prices', 'transition'] });
  });

  test('tells a quota that is too small, and ends with 1', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-quota');
    const { b, root } = pair;
    await mixedTree(pair);
    await b.mkdirs(`${root}/small`);
    await b.call('PUT', 'SETQUOTA', `${root}/small`, { namespacequota: '10', storagespacequota: '1000' });
    const { code, stdout } = await pair.run(['estimate', '--silent', `A:${root}/tree`, `B:${root}/small/tree`]);
    expect(code).toBe(1);
    expect(stdout).toContain(`quota left    9 names, 1.0 KiB with replicas at ${root}/small`);
    expect(stdout).toContain(`TOO LITTLE    space quota of ${root}/small`);
    expect(stdout).toContain(`TOO LITTLE    name quota of ${root}/small`);
  });

  test('says unknown where a server does not tell', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-unknown');
    const { root } = pair;
    await mixedTree(pair);
    const untold = ['GETSTATUS', 'GETQUOTAUSAGE', 'GETCONTENTSUMMARY', 'GETSERVERDEFAULTS'];
    const answer = (operation: string) => ({
      status: 400,
      body: JSON.stringify({
        RemoteException: {
          exception: 'IllegalArgumentException',
          javaClassName: 'java.lang.IllegalArgumentException',
          message: `Invalid value for webhdfs parameter "op": No enum constant ${operation}`,
        },
      }),
    });
    await using old = await FaultProxy.start(bed.b, {
      react: ({ operation }) => (untold.includes(operation) ? { answer: answer(operation) } : undefined),
    });
    const conf = pair.conf({ B: { url: old.url } });
    const { code, stdout, stderr } = await pair.run(['estimate', `A:${root}/tree`, `B:${root}/new`], { conf });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('free space unknown: the server does not tell');
    expect(stdout).toContain('quotas        unknown: the server does not tell');
    expect(stdout).toContain('an unknown number of bytes');
  });

  test('of what would fail names it, and ends with 1', async () => {
    const pair = await TwoClusters.make(bed, 'estimate-fails');
    const { b, root } = pair;
    await mixedTree(pair);
    await b.put(`${root}/tree/middle`, 'another');
    const { code, stdout } = await pair.run(['estimate', '--exact', `A:${root}/tree`, `B:${root}/tree`]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/would fail {4}1 file, 2\.9 MiB/);
    expect(stdout).toContain(`${root}/tree/middle: `);
  });
});
