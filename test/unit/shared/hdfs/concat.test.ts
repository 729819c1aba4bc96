import { expect, it } from 'vitest';
import { clusterSchema } from '../../../../shared/hdfs/cluster.ts';
import { fitting } from '../../../../shared/hdfs/concat.ts';
import { WebHdfs } from '../../../../shared/hdfs/webhdfs.ts';
import { silentLog } from '../../../../shared/log.ts';
import { never } from '../../../support/files.ts';
import { type Answer, ScriptedServer } from '../../../support/scripted-server.ts';

const names = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `/${String(index).padStart(length, 'x')}`);

it.each([
  { what: 'a few', sources: names(5, 40), fits: 5 },
  // 44 characters are sent as 48: a slash and a comma take three bytes each.
  { what: 'many', sources: names(1000, 42), fits: 128 },
  {
    what: 'names that are sent in nine bytes a character',
    sources: names(100, 3).map((name) => `${name}${'音'.repeat(20)}`),
    fits: 32,
  },
  // In a query these take three bytes, which they do not in a path.
  { what: "names with !'()~", sources: names(1000, 1).map((name) => `${name}!'()~`.repeat(2)), fits: 141 },
  { what: 'one that is longer than all may be together', sources: names(3, 7000), fits: 1 },
])('as many sources go into one CONCAT as 6 KiB hold: $what', ({ sources, fits }) => {
  expect(fitting(sources)).toBe(fits);
});

const refusal = (status: number, exception: string, message: string): Answer => ({
  status,
  json: { RemoteException: { exception, message } },
});
const busy: Answer = { status: 503, text: 'busy', headers: { 'retry-after': '0' } };
const notFound = refusal(404, 'FileNotFoundException', 'no such file');

it.each<{ what: string; answers: Answer[]; obstacle: string | undefined }>([
  { what: 'a file that is not there', answers: [notFound], obstacle: undefined },
  { what: 'a refusal', answers: [refusal(403, 'AccessControlException', 'denied')], obstacle: undefined },
  { what: 'busy, and then a file that is not there', answers: [busy, notFound], obstacle: undefined },
  {
    what: 'an operation that is not known',
    answers: [refusal(400, 'IllegalArgumentException', 'Invalid value for webhdfs parameter "op": CONCAT')],
    obstacle: 'its server has no CONCAT',
  },
  ...[400, 401, 403, 404, 405].map((status) => ({
    what: `a gateway's ${status}`,
    answers: [{ status, text: '<html><title>Not for you</title></html>' }],
    obstacle: `a gateway that does not pass CONCAT on (HTTP ${status})`,
  })),
  {
    what: 'the page of a login',
    answers: [{ status: 200, text: '<html><title>Log in</title></html>' }],
    obstacle: 'a gateway that does not pass CONCAT on (HTTP 200)',
  },
  {
    what: 'a gateway without a server behind it',
    answers: [busy, busy, busy, busy],
    obstacle: 'its server does not say whether it has CONCAT (HTTP 503)',
  },
])('whether a server has CONCAT is told by $what, and ends no job', async ({ answers, obstacle }) => {
  await using server = await ScriptedServer.start(answers);
  const nameservices = [{ urls: [server.url], mounts: ['/'] }];
  const client = new WebHdfs(clusterSchema.parse({ name: 'c', user: 'u', nameservices }), silentLog);
  expect(await client.concatenation.obstacle('/d', never)).toBe(obstacle);
  expect(await client.concatenation.obstacle('/d', never)).toBe(obstacle);
  expect(server.requests).toHaveLength(answers.length);
  await client.close();
});
