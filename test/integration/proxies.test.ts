import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, inject, test } from 'vitest';
import { Front } from '../support/front.ts';
import { makeSmallTree } from '../support/odd-tree.ts';
import { Scene } from '../support/scene.ts';

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
  const scene = await Scene.make(bed, 'proxied');
  const { root, a, b } = scene;
  await makeSmallTree(a, `${root}/tree`);
  await using proxy = await startProxy();
  await using front = await Front.start(bed.a, {
    react: () => ({ location: (location) => location.replace('//localhost:', '//dn1.prod.invalid:') }),
  });
  const url = front.url.replace('127.0.0.1', 'nn1.prod.invalid');
  const conf = scene.conf({ A: { url, proxy: proxy.url } });
  for (const [from, to] of [
    [`A:${root}/tree`, `B:${root}/tree`],
    [`B:${root}/tree`, `A:${root}/back`],
  ] as const) {
    const { code, stderr, status } = await scene.run(['copy', '--silent', '--exact', from, to], { conf });
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
  const scene = await Scene.make(bed, `told-${what.replace(/\W/g, '')}`);
  const { root, a, b } = scene;
  await makeSmallTree(a, `${root}/tree`);
  let datanode = '';
  await using front = await Front.start(bed.a, {
    react: () => ({
      location: (location) =>
        location.replace(/\/\/localhost:(\d+)/, (_all, port: string) => {
          datanode = port;
          return `//${told}:9864`;
        }),
    }),
  });
  // Which port it has is known from a redirect.
  await fetch(`${front.url}/webhdfs/v1${root}/tree/a/1?op=OPEN&user.name=root`, { redirect: 'manual' });
  const conf = scene.conf({ A: { url: front.url, datanode_addresses: { [pattern]: `127.0.0.1:${datanode}` } } });
  for (const [from, to] of [
    [`A:${root}/tree`, `B:${root}/tree`],
    [`B:${root}/tree`, `A:${root}/back`],
  ] as const) {
    const { code, stderr, status } = await scene.run(['copy', '--silent', '--exact', from, to], { conf });
    expect({ code, stderr, retries: status.Retries }).toEqual({ code: 0, stderr: '', retries: 0 });
  }
  expect(await a.tree(`${root}/back`)).toEqual(await b.tree(`${root}/tree`));
});
