import { expect, inject, test } from 'vitest';
import { Gateway } from '../support/gateway.ts';
import { content, makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const password = 'a pässword:with=signs';

test.each([
  { how: 'from behind a gateway', from: 'A', to: 'B' },
  { how: 'to behind a gateway', from: 'B', to: 'A' },
] as const)('a tree with every odd name copied $how is the same byte for byte', async ({ how, from, to }) => {
  const pair = await TwoClusters.make(bed, how.replaceAll(' ', '-'));
  const { root, a, b } = pair;
  const [source, destination] = from === 'A' ? [a, b] : [b, a];
  await makeOddTree(source, `${root}/tree`);
  const expected = await source.tree(`${root}/tree`);
  await using gateway = await Gateway.start(bed.a, { user: 'root', password });
  const conf = pair.conf({ A: { url: gateway.url, auth_mechanism: 'BASIC', user: 'root', password } });
  const copy = (...flags: string[]) =>
    pair.run(['copy', '--silent', ...flags, '--exact', `${from}:${root}/tree`, `${to}:${root}/copy`], { conf });

  const first = await copy();
  expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
  expect(await destination.tree(`${root}/copy`)).toEqual(expected);
  const files = Object.keys(expected).filter((path) => !path.endsWith('/')).length;
  expect(first.status).toMatchObject({ 'Files Copied': files, Retries: 0, Verified: { checksum: files } });

  await destination.put(`${root}/copy/back\\slash`, 'another length');
  await destination.put(`${root}/copy/lengths/${5 * 1024 * 1024 + 77}`, content('other', 5 * 1024 * 1024 + 77));
  const second = await copy('--force');
  expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' });
  expect(second.status).toMatchObject({ 'Files Copied': 2, 'Files Skipped': files - 2, Retries: 0 });
  expect(await destination.tree(`${root}/copy`)).toEqual(expected);

  expect(gateway.requests.filter(({ authenticated }) => !authenticated)).toEqual([]);
  expect(
    gateway.requests.filter(({ url }) => url.startsWith('/gateway/default/webhdfs/data/v1/')).length,
  ).toBeGreaterThan(files);
});

test('a password that the gateway does not take ends the job at once, and is not told', async () => {
  const pair = await TwoClusters.make(bed, 'gateway-refuses');
  await pair.a.put(`${pair.root}/tree/file`, 'x');
  await using gateway = await Gateway.start(bed.a, { user: 'root', password });
  const conf = pair.conf({ A: { url: gateway.url, auth_mechanism: 'BASIC', user: 'root', password: 'wrong one' } });
  const { stderr } = await pair.expectRefused(['copy', `A:${pair.root}/tree`, `B:${pair.root}/copy`], {
    code: 3,
    says: ['cluster A', 'password'],
    conf,
  });
  expect(stderr).not.toContain('wrong one');
  expect(gateway.requests).toHaveLength(1);
});
