import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Connector } from '../../../../shared/hdfs/connector.ts';
import { errorOf, never } from '../../../support/files.ts';
import { clientOf, closedPort, fileStatus, redirect, ScriptedServer } from '../../../support/scripted-server.ts';
import { swallower } from '../../../support/swallower.ts';
import { allBytes } from '../../../../shared/storage/storage.ts';

/** An HTTP proxy that connects, or refuses. */
async function proxyServer(refusal?: number) {
  const asked: { authority: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer((_request, response) => response.writeHead(500).end());
  server.on('connect', (request, socket) => {
    asked.push({ authority: request.url, authorization: request.headers['proxy-authorization'] });
    socket.on('error', () => undefined);
    if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
    const port = Number(/:(\d+)$/.exec(request.url ?? '')?.[1]);
    const upstream = connect({ port, host: '127.0.0.1' }, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return {
    asked,
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

const options = {
  blockBytes: undefined,
  replication: undefined,
  permission: undefined,
  overwrite: false,
};

// eslint-disable-next-line @typescript-eslint/require-await -- a body is asynchronous
async function* body() {
  yield Buffer.from('hello');
}

describe('all connections to a cluster', () => {
  it('lead through its proxy, to names that only the proxy knows', async () => {
    await using proxy = await proxyServer();
    await using datanode = await ScriptedServer.start(({ method }) =>
      method === 'PUT' ? { status: 201 } : { text: 'hello' },
    );
    const port = (host: string) => host.replace(/^.*:/, '');
    await using namenode = await ScriptedServer.start(({ operation }) =>
      operation === 'GETFILESTATUS'
        ? fileStatus()
        : redirect(`http://dn1.invalid:${port(datanode.host)}/webhdfs/v1/x?op=${operation}&namenoderpcaddress=nn`),
    );
    const url = `http://nn1.invalid:${port(namenode.host)}`;
    await using fs = clientOf([url], { proxy: `http://etl:p%40ss@${proxy.host}` });
    await fs.stat('/x', never);
    await fs.write('/x', body(), { ...options, lengthBytes: 5 }, never);
    const reading = await fs.read('/x', allBytes(5), never);
    for await (const chunk of reading.body) expect(String(chunk)).toBe('hello');
    const authorities = new Set(proxy.asked.map(({ authority }) => authority?.replace(/:\d+$/, '')));
    expect(authorities).toEqual(new Set(['nn1.invalid', 'dn1.invalid']));
    const credentials = `Basic ${Buffer.from('etl:p@ss').toString('base64')}`;
    expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(new Set([credentials]));
    expect(datanode.requests.map(({ headers }) => headers.host)).toEqual(
      Array(2).fill(`dn1.invalid:${port(datanode.host)}`),
    );
  });

  it.each([
    ['refuses', 407, 'the proxy 127.0.0.1:PORT did not connect it: HTTP 407 (check proxy in'],
    ['is not there', undefined, 'the proxy 127.0.0.1:PORT could not be used: ECONNREFUSED (check proxy in'],
  ])('fail in one line when the proxy %s, without its password', async (_what, refusal, says) => {
    const proxy = await proxyServer(refusal);
    if (refusal === undefined) await proxy[Symbol.asyncDispose]();
    await using fs = clientOf(['http://nn1.invalid:9870'], {
      proxy: `http://etl:S3cret@${proxy.host}`,
      retry_timeout: 0,
    });
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    if (refusal !== undefined) await proxy[Symbol.asyncDispose]();
    expect(error.message).toContain(says.replace('127.0.0.1:PORT', proxy.host));
    expect(inspect(error, { depth: Infinity })).not.toMatch(/S3cret|RXRs/);
  });

  it('go where datanode_addresses say, also for an IP address and to another port, under their own name', async () => {
    await using datanode = await ScriptedServer.start(({ method }) =>
      method === 'PUT' ? { status: 201 } : { text: 'hello' },
    );
    for (const host of ['192.0.2.10:9864', '[2001:db8::10]:9864', 'dn_1:9864']) {
      await using namenode = await ScriptedServer.start(({ operation }) =>
        redirect(`http://${host}/webhdfs/v1/x?op=${operation}&namenoderpcaddress=nn`),
      );
      const addresses = { '192.0.2.*': datanode.host, '2001:db8::10': datanode.host, dn_1: datanode.host };
      await using fs = clientOf([namenode.url], { datanode_addresses: addresses });
      await fs.write('/x', body(), { ...options, lengthBytes: 5 }, never);
      const reading = await fs.read('/x', allBytes(5), never);
      for await (const chunk of reading.body) expect(String(chunk)).toBe('hello');
      expect(datanode.requests.splice(0).map(({ headers }) => headers.host)).toEqual([host, host]);
    }
  });
});

describe('a connection that is not made', () => {
  it('ends with the time for one, and with the signal', async () => {
    await using nobody = await swallower();
    const connector = new Connector({ tls: { rejectUnauthorized: true }, connectMs: 300 });
    expect(await errorOf(connector.connect(nobody.url))).toMatchObject({ message: 'no connection within 0.3 s' });
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    setTimeout(() => stop.abort(reason), 50);
    expect(await errorOf(connector.connect(nobody.url, stop.signal))).toBe(reason);
  });

  describe('where other programs would use a proxy', () => {
    afterEach(() => vi.unstubAllEnvs());

    it('says that it is not used, without what it holds', async () => {
      vi.stubEnv('HTTPS_PROXY', 'http://etl:S3cret@proxy:3128');
      const { url } = await closedPort();
      await using fs = clientOf([url], { retry_timeout: 0 });
      const { message } = (await errorOf(fs.stat('/x', never))) as Error;
      expect(message).toContain('$HTTPS_PROXY is set here and not used');
      expect(message).not.toContain('S3cret');
    });
  });
});
