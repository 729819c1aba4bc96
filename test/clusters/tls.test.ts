import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { issueCertificate, makeAuthority } from '../bed/certificates.ts';
import { definitionOf } from '../bed/client-config.ts';
import { Connector } from '../../shared/hdfs/connector.ts';
import { Uploads } from '../../shared/hdfs/uploads.ts';
import { newHome, runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { never, pieces } from '../support/files.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { makeSmallTree } from '../support/odd-tree.ts';
import { expectOneLine, writeConf } from '../support/two-clusters.ts';

type Fields = Record<string, unknown>;

const home = newHome();
const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-tls-'));
let s: Cluster;
let w: Cluster;
let a: Cluster;
let onS: TestHdfs;
let onA: TestHdfs;

beforeAll(async () => {
  [s, w, a] = await Promise.all([sharedCluster('S'), sharedCluster('W'), sharedCluster('A')]);
  onS = new TestHdfs(s.namenodeUrl, 'root', { ca: readFileSync(s.ca ?? '', 'utf8') });
  onA = new TestHdfs(a.namenodeUrl);
  await makeSmallTree(onA, '/tls');
}, 300_000);

const conf = (...definitions: Fields[]) => writeConf(JSON.stringify({ clusters: [definitionOf(a), ...definitions] }));
const copy = (from: string, to: string, file: string) => runCli(['copy', '--silent', from, to], { conf: file });

describe('namenodes and datanodes that speak TLS', () => {
  test('are copied to and from with the authority’s PEM file as truststore', async () => {
    const file = conf({ ...definitionOf(s) });
    expect(await copy('A:/tls', 'S:/tls', file)).toMatchObject({ code: 0, stderr: '' });
    expect(await onS.tree('/tls')).toEqual(await onA.tree('/tls'));
    expect(await copy('S:/tls', 'A:/tls-back', file)).toMatchObject({ code: 0, stderr: '' });
    expect(await onA.tree('/tls-back')).toEqual(await onA.tree('/tls'));
  });

  test('are copied to without looking at certificates where verify is false', async () => {
    const file = conf({ ...definitionOf(w), truststore: undefined, verify: false });
    expect(await copy('A:/tls', 'W:/tls', file)).toMatchObject({ code: 0, stderr: '' });
  });

  test.each<[string, () => Fields, readonly string[]]>([
    [
      'an authority that is not trusted',
      () => ({ ...definitionOf(s), truststore: undefined }),
      ['comes from an authority that is not trusted', 'name the authority’s PEM file as truststore'],
    ],
    ['a certificate for another host', () => ({ ...definitionOf(w) }), ['is for another host name: elsewhere.test']],
    [
      'an http:// URL where TLS is spoken',
      () => ({
        ...definitionOf(s),
        retry_timeout: 1,
        nameservices: [{ urls: [s.namenodeUrl.replace('https:', 'http:')], mounts: ['/'] }],
      }),
      ['check the port, and whether its URL begins with http:// or https://'],
    ],
    [
      'an https:// URL where it is not',
      () => ({
        ...definitionOf(a),
        name: 'S',
        nameservices: [{ urls: [a.namenodeUrl.replace('http:', 'https:')], mounts: ['/'] }],
      }),
      ['it does not speak TLS', 'use an http:// URL'],
    ],
  ])('%s ends the job with a line that names cluster, host and remedy', async (_what, definition, says) => {
    const fields = definition();
    // What were tried again, but where the case shortens that, would outlast the test.
    const result = await copy('A:/tls', `${String(fields['name'])}:/refused`, conf({ retry_timeout: 600, ...fields }));
    expect(result.code, result.stderr).toBe(3);
    expectOneLine(result, [`cluster ${String(fields['name'])}`, 'on localhost:', ...says]);
    expect(await onS.exists('/refused')).toBe(false);
  });

  test('a certificate that only a datanode cannot use fails its files, and the job tells of each', async () => {
    const { location = '' } = await onS.call('PUT', 'CREATE', '/redirect');
    const datanode = new URL(location).host;
    // Where the datanode should be, a server answers that is somebody else.
    const addresses = { [datanode]: `127.0.0.1:${new URL(w.namenodeUrl).port}` };
    const file = conf({ ...definitionOf(s), datanode_addresses: addresses });
    await onA.put('/tls-one/file', 'x');
    const { code, status } = await runCli(['copy', '--silent', 'A:/tls-one', 'S:/tls-one'], { conf: file, home });
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Copied': 0, 'Files Failed': 1 });
    const { stdout } = await runCli(['status', status.Job, '--failures'], { conf: file, home });
    expect(stdout).toContain('the datanode could not be used: its TLS certificate');
  });

  test('a Java keystore as truststore is refused before anything is asked', async () => {
    const jks = join(directory, 'truststore.jks');
    writeFileSync(jks, Buffer.from('feedfeed00000002', 'hex'));
    const result = await copy('A:/tls', 'S:/refused', conf({ ...definitionOf(s), truststore: jks }));
    expect(result.code).toBe(2);
    expectOneLine(result, ['cluster S', 'is a JKS keystore', 'keytool -list -rfc']);
  });
});

describe('a server that is reached elsewhere than its name says', () => {
  test('must prove to be who its URL names', async () => {
    const authority = makeAuthority(mkdtempSync(join(directory, 'elsewhere-')));
    const { certificate, key } = await issueCertificate(await authority, 'dn1', 'dn1.prod.invalid');
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const there = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connector = new Connector({
      tls: { rejectUnauthorized: true, ca: readFileSync((await authority).ca, 'utf8') },
      connectMs: 5000,
      addresses: { '*.prod.invalid': there, '192.0.2.10': there },
    });
    try {
      // The second handshake resumes the first one's session.
      for (let i = 0; i < 2; i++) {
        const socket = await connector.connect('https://dn1.prod.invalid:9865');
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(socket instanceof TLSSocket && socket.isSessionReused()).toBe(i === 1);
        socket.destroy();
      }
      for (const origin of ['https://dn2.prod.invalid:9865', 'https://192.0.2.10:9865']) {
        await expect(connector.connect(origin)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a server that wants a client certificate', () => {
  const authority = makeAuthority(directory);

  async function strictServer() {
    const { certificate, key } = await issueCertificate(await authority, 'server', 'localhost');
    const options = { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync((await authority).ca) };
    const server = createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (_request, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ RemoteException: { exception: 'FileNotFoundException', message: 'not here' } }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const stop = () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    };
    return {
      url,
      [Symbol.asyncDispose]: async () => {
        await stop();
      },
    };
  }

  test('answers one who has it, and nobody else', async () => {
    await using server = await strictServer();
    const { certificate, key } = await issueCertificate(await authority, 'client', 'etl');
    const definition = {
      name: 'C',
      user: 'etl',
      retry_timeout: 1,
      truststore: (await authority).ca,
      nameservices: [{ urls: [server.url], mounts: ['/'] }],
    };
    const known = await copy('C:/x', 'A:/x', conf({ ...definition, certificate, key }));
    expect(known.stderr).toContain('/x');
    expect(known.stderr).not.toContain('certificate');
    expect(known.code).toBe(3);
    const unknown = await copy('C:/x', 'A:/x', conf(definition));
    expect(unknown.code).toBe(3);
    expectOneLine(unknown, ['cluster C cannot serve', 'the connection was closed']);
  });
});

describe('uploads over TLS', () => {
  test('resume the session of the one before', async () => {
    const authority = await makeAuthority(mkdtempSync(join(directory, 'uploads-')));
    const { certificate, key } = await issueCertificate(authority, 'dn', 'localhost');
    const resumed: boolean[] = [];
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
      if (request.socket instanceof TLSSocket) resumed.push(request.socket.isSessionReused());
      response.writeContinue();
      request.resume().on('end', () => response.writeHead(201, { connection: 'close' }).end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const tls = { rejectUnauthorized: true, ca: readFileSync(authority.ca, 'utf8') };
    const uploads = new Uploads(new Connector({ tls, connectMs: 60_000 }), { stallMs: 60_000, answerMs: () => 60_000 });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/webhdfs/v1/x?op=CREATE`;
    const bytes = Buffer.alloc(1024 * 1024, 7);
    const how = { method: 'PUT', url, lengthBytes: bytes.length, headers: {}, isKept: false, isPatient: false };
    try {
      for (let i = 0; i < 3; i++) {
        const answer = await uploads.send({ ...how, body: pieces(bytes) }, { operation: 'CREATE', path: '/x' }, never);
        expect(answer.status).toBe(201);
      }
      expect(resumed).toEqual([false, true, true]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('are told why they are refused, also where a write fails before that is read', async () => {
    const authority = await makeAuthority(mkdtempSync(join(directory, 'refused-')));
    const { certificate, key } = await issueCertificate(authority, 'dn', 'localhost');
    const text = '{"RemoteException":{"exception":"DSQuotaExceededException","message":"The quota is exceeded"}}';
    const answer = `HTTP/1.1 403 Forbidden\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
    const isCut = new Int32Array(new SharedArrayBuffer(4));
    const options = { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    // In a thread of its own: it goes on while this one stands still.
    const server = new Worker(resettingServer, { eval: true, workerData: { options, answer, isCut } });
    const [port] = (await once(server, 'message')) as [number];
    const tls = { rejectUnauthorized: true, ca: readFileSync(authority.ca, 'utf8') };
    const uploads = new Uploads(new Connector({ tls, connectMs: 60_000 }), { stallMs: 60_000, answerMs: () => 60_000 });
    const url = `https://localhost:${port}/webhdfs/v1/x?op=CREATE`;
    async function* body() {
      yield await Promise.resolve(Buffer.alloc(256 * 1024));
      Atomics.wait(isCut, 0, 0, 60_000);
      for (;;) yield Buffer.alloc(1024 * 1024);
    }
    const how = { method: 'PUT', url, lengthBytes: 1e12, headers: {}, isKept: false, isPatient: false };
    try {
      const answered = await uploads.send({ ...how, body: body() }, { operation: 'CREATE', path: '/x' }, never);
      expect(answered).toMatchObject({ status: 403, text });
      expect(isCut[0]).toBe(1);
    } finally {
      await server.terminate();
    }
  });
});

/** Refuses what it is sent, and resets the connection: more has come than it has read. */
const resettingServer = `
  const { createServer } = require('node:tls');
  const { parentPort, workerData } = require('node:worker_threads');
  const { options, answer, isCut } = workerData;
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write(answer, () => setTimeout(() => {
        socket._parent?.destroy();
        socket.destroy();
        setTimeout(() => {
          Atomics.store(isCut, 0, 1);
          Atomics.notify(isCut, 0);
        }, 100);
      }, 100));
    });
  });
  server.listen(0, 'localhost', () => parentPort.postMessage(server.address().port));
`;
