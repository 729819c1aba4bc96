import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { contentsBelow, watchProcesses } from '../support/leaks.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');

async function tokenOf(url: string): Promise<string> {
  const { Token } = await new TestHdfs(url).json<{ Token: { urlString: string } }>('GETDELEGATIONTOKEN', '/', {
    renewer: 'root',
  });
  return Token.urlString;
}

/** A secure namenode's answer to a cancelled token; an insecure one looks at no token. */
const deadToken = JSON.stringify({
  RemoteException: {
    exception: 'SecurityException',
    javaClassName: 'java.lang.SecurityException',
    message:
      'Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: ' +
      "Token for real user: , can't be found in cache",
  },
});

test('a token is in no output, log, error, manifest, database or process list', async () => {
  const pair = await TwoClusters.make(bed, 'secrets');
  const tokens = [await tokenOf(bed.a), await tokenOf(bed.b)] as const;
  for (let i = 0; i < 30; i++) await pair.a.put(`/secrets/tree/f${i}`, content(`${i}`, 50_000));
  // Errors of every kind are made: a redirect that leads nowhere, a lost answer, a page of HTML, a dead token at the end.
  let opens = 0;
  await using faultProxy = await FaultProxy.start(bed.a, {
    datanodes: true,
    react: ({ operation, to }) => {
      if (operation !== 'OPEN' || to !== 'namenode') return undefined;
      opens += 1;
      if (opens === 3) return { location: (location) => location.replace(/\/\/[^/]+/, '//datanode.invalid:1') };
      if (opens === 5) return 'cut-after';
      return opens === 7 ? { answer: { status: 502, body: '<html><title>Bad gateway</title></html>' } } : undefined;
    },
  });
  const conf = pair.conf({
    A: { url: faultProxy.url, auth_mechanism: 'TOKEN', token: tokens[0] },
    B: { auth_mechanism: 'TOKEN', token: tokens[1] },
  });
  const log = join(pair.home, 'log.jsonl');
  const flags = ['--json', '-vvvv', '--log-file', log];
  const { ended } = startCli(['copy', ...flags, 'A:/secrets/tree', 'B:/secrets/copy'], { conf, home: pair.home });
  const stopWatching = watchProcesses();
  const { code, stdout, stderr } = await ended;
  const processes = stopWatching();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await pair.b.tree('/secrets/copy')).toEqual(await pair.a.tree('/secrets/tree'));
  await using dead = await FaultProxy.start(bed.a, { react: () => ({ answer: { status: 403, body: deadToken } }) });
  const refused = await pair.run(['copy', '-vvvv', 'A:/secrets/tree', 'B:/secrets/again'], {
    conf: pair.conf({ A: { url: dead.url, auth_mechanism: 'TOKEN', token: tokens[0] } }),
  });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('put a valid token into the cluster configuration');
  const kept = contentsBelow(pair.home);
  expect(kept.length).toBeGreaterThanOrEqual(3);
  expect(readFileSync(log, 'utf8')).toContain('datanode.invalid');
  expect(processes).toContain('/secrets/tree');
  const everything = [stdout, stderr, refused.stdout, refused.stderr, processes, ...kept].join('\n');
  for (const token of tokens) expect(everything.includes(token)).toBe(false);
});
