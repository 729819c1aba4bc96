import { expect, inject, test } from 'vitest';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content, makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const lacking = ['LISTSTATUS_BATCH', 'GETSERVERDEFAULTS', 'GETFILEBLOCKLOCATIONS', 'CHECKACCESS'];

/** As the namenode of Hadoop 2 answers an operation that came later. */
function asHadoop2({ operation }: FaultProxyRequest): Reaction | undefined {
  if (!lacking.includes(operation)) return undefined;
  const name = `org.apache.hadoop.hdfs.web.resources.GetOpParam.Op.${operation}`;
  return {
    answer: {
      status: 400,
      body: refusal('IllegalArgumentException', `Invalid value for webhdfs parameter "op": No enum constant ${name}`),
    },
  };
}

/** As an HttpFS of Hadoop 2 does. */
function asHttpFs2({ operation }: FaultProxyRequest): Reaction | undefined {
  if (!lacking.includes(operation)) return undefined;
  const name = `org.apache.hadoop.fs.http.client.HttpFSFileSystem.Operation.${operation}`;
  return {
    answer: {
      status: 500,
      body: refusal('QueryParamException', `java.lang.IllegalArgumentException: No enum constant ${name}`),
    },
  };
}

function refusal(exception: string, message: string): string {
  return JSON.stringify({ RemoteException: { exception, javaClassName: `java.lang.${exception}`, message } });
}

test.each([
  { server: 'a namenode of Hadoop 2', react: asHadoop2, url: bed.a },
  { server: 'an HttpFS of Hadoop 2', react: asHttpFs2, url: bed.httpFs },
])('a tree is copied from and to $server, which is asked once for what it lacks', async ({ server, react, url }) => {
  const pair = await TwoClusters.make(bed, server.replaceAll(' ', '-'));
  const { root, a } = pair;
  await makeOddTree(a, `${root}/tree`);
  const expected = await a.tree(`${root}/tree`);
  await using faultProxy = await FaultProxy.start(url, { react });
  const conf = pair.conf({ A: { url: faultProxy.url } });
  for (const [from, to, flags, listed] of [
    [`A:${root}/tree`, `B:${root}/there`, [], 1],
    // What the job itself makes is not listed.
    [`B:${root}/there`, `A:${root}/back`, [], 0],
    [`B:${root}/there`, `A:${root}/back`, ['--force'], 1],
  ] as const) {
    if (flags.length > 0) {
      await a.put(`${root}/back/back\\slash`, 'another length');
      await a.put(`${root}/back/lengths/513`, content('other', 513));
    }
    faultProxy.requests.length = 0;
    const { code, stderr, status } = await pair.run(['copy', '--silent', '--exact', ...flags, from, to], { conf });
    expect({ code, stderr, retries: status.Retries }).toEqual({ code: 0, stderr: '', retries: 0 });
    for (const operation of lacking) expect.soft(faultProxy.count(operation), operation).toBeLessThanOrEqual(1);
    expect(faultProxy.count('LISTSTATUS_BATCH')).toBe(listed);
    expect(faultProxy.count('GETSERVERDEFAULTS')).toBe(1);
    expect(faultProxy.requests.filter(({ query }) => query.includes('noredirect'))).toEqual([]);
  }
  expect(await a.tree(`${root}/back`)).toEqual(expected);
});
