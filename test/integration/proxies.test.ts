import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { makeSmallTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');

/** An HTTP proxy that connects to whatever it is asked for, under any name, on this machine. */
async function startProxy() {
  const authorities = new Set<string>();
  const server = createServer((_request, response) => response.writeHead(400).end());
  server.on('connect', (request, socket) => {
    socket.on('error', () => undefined);
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(request.url ?? '') ?? [];
    authorities.add(host);
    const upstream = connect({ port: Number(port), host: '127.0.0.1' }, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    authorities,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a tree is copied through a proxy that alone knows the names of the cluster', async () => {
  const pair = await TwoClusters.make(bed, 'proxied');
  const { root, a, b } = pair;
  await makeSmallTree(a, `${root}/tree`);
  await using proxy = await startProxy();
  await using faultProxy = await FaultProxy.start(bed.a, {
    react: () => ({ location: (location) => location.replace('//localhost:', '//dn1.prod.invalid:') }),
  });
  const url = faultProxy.url.replace('127.0.0.1', 'nn1.prod.invalid');
  const conf = pair.conf({ A: { url, proxy: proxy.url } });
  for (const [from, to] of [
    [`A:${root}/tree`, `B:${root}/tree`],
    [`B:${root}/tree`, `A:${root}/back`],
  ] as const) {
    const { code, stderr, status } = await pair.run(['copy', '--silent', '--exact', from, to], { conf });
    expect({ code, stderr, retries: status.Retries }).toEqual({ code: 0, stderr: '', retries: 0 });
  }
  expect(await a.tree(`${root}/back`)).toEqual(await a.tree(`${root}/tree`));
  expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  expect(proxy.authorities).toEqual(new Set(['nn1.prod.invalid', 'dn1.prod.invalid']));
});

test.each([
  ['an IPv4 address', '192.0.2.10', '192.0.2.*'],
  ['an IPv6 address', '[2001:db8::10]', '2001:db8::10'],
  ['a name with an underscore', 'data_node_1', 'data_node_*'],
])('datanodes told by %s are reached where datanode_addresses say, at another port', async (what, told, pattern) => {
  const pair = await TwoClusters.make(bed, `told-${what.replace(/\W/g, '')}`);
  const { root, a, b } = pair;
  await makeSmallTree(a, `${root}/tree`);
  let datanode = '';
  await using faultProxy = await FaultProxy.start(bed.a, {
    react: () => ({
      location: (location) =>
        location.replace(/\/\/localhost:(\d+)/, (_all, port: string) => {
          datanode = port;
          return `//${told}:9864`;
        }),
    }),
  });
  // Which port it has is known from a redirect.
  await fetch(`${faultProxy.url}/webhdfs/v1${root}/tree/a/1?op=OPEN&user.name=root`, { redirect: 'manual' });
  const conf = pair.conf({ A: { url: faultProxy.url, datanode_addresses: { [pattern]: `127.0.0.1:${datanode}` } } });
  for (const [from, to] of [
    [`A:${root}/tree`, `B:${root}/tree`],
    [`B:${root}/tree`, `A:${root}/back`],
  ] as const) {
    const { code, stderr, status } = await pair.run(['copy', '--silent', '--exact', from, to], { conf });
    expect({ code, stderr, retries: status.Retries }).toEqual({ code: 0, stderr: '', retries: 0 });
  }
  expect(await a.tree(`${root}/back`)).toEqual(await b.tree(`${root}/tree`));
});
