import { expect, inject, test } from 'vitest';
import { FaultProxy, type Reaction } from '../support/fault-proxy.ts';
import { makeSmallTree } from '../support/odd-tree.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

const bed = inject('bed');
const AWAY_MS = 3000;
const page = (title: string) => `<html><head><title>${title}</title></head></html>`;

const outages: readonly (readonly [string, Reaction])[] = [
  ['503 Service Unavailable', { answer: { status: 503, body: page('503 Service Unavailable') } }],
  ['429 Too Many Requests', { answer: { status: 429, body: page('429 Too Many Requests') } }],
  ['404 of a default backend', { answer: { status: 404, body: page('default backend') } }],
];

test.each(outages)('a balancer that says %s for a while costs that while, and no file', async (what, reaction) => {
  const pair = await TwoClusters.make(bed, `balancer-${what.slice(0, 3)}`);
  const { root, a, b } = pair;
  for (let i = 0; i < 60; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => b.put(`${root}/tree/${i + j}`, `content ${i + j}`)));
  }
  let asked = 0;
  let awayUntilMs = 0;
  await using faultProxy = await FaultProxy.start(bed.httpFs, {
    react: () => {
      if (++asked === 40) awayUntilMs = performance.now() + AWAY_MS;
      return performance.now() < awayUntilMs ? reaction : undefined;
    },
  });
  const conf = pair.conf({ A: { url: faultProxy.url } });
  const { code, stderr, status } = await pair.run(['copy', '--silent', '--exact', `B:${root}/tree`, `A:${root}/tree`], {
    conf,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ 'Files Copied': 60, 'Files Failed': 0 });
  const copied = await a.tree(`${root}/tree`);
  expect(temporaryNames(copied)).toEqual([]);
  expect(copied).toEqual(await b.tree(`${root}/tree`));
});

test.each<[string, (location: string, url: string) => string]>([
  ['another host', (location, url) => location.replace(url, 'http://httpfs-0.internal.invalid:14000')],
  ['http, where a proxy ends TLS', (location, url) => location.replace(url, 'https://127.0.0.1:1')],
  ['the host alone, without its port', (location, url) => location.replace(url, 'http://127.0.0.1')],
  ['a path alone', (location, url) => location.replace(url, '')],
])('an HttpFS that redirects to itself at %s is written to where it is configured', async (what, relocate) => {
  const pair = await TwoClusters.make(bed, `relocated-${what.replace(/\W/g, '')}`);
  const { root, a, b } = pair;
  await makeSmallTree(b, `${root}/tree`);
  await using faultProxy: FaultProxy = await FaultProxy.start(bed.httpFs, {
    react: () => ({ location: (location) => relocate(location, faultProxy.url) }),
  });
  const conf = pair.conf({ A: { url: faultProxy.url } });
  const { code, stderr, status } = await pair.run(['copy', '--silent', '--exact', `B:${root}/tree`, `A:${root}/tree`], {
    conf,
  });
  expect({ code, stderr, retries: status.Retries }).toEqual({ code: 0, stderr: '', retries: 0 });
  expect(await a.tree(`${root}/tree`)).toEqual(await b.tree(`${root}/tree`));
});
