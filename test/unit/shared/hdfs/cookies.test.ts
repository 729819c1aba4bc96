import { expect, test } from 'vitest';
import { clientOf, fileStatus, ScriptedServer } from '../../../support/scripted-server.ts';
import { never } from '../../../support/files.ts';
import { Cookies } from '../../../../shared/hdfs/cookies.ts';
import { allBytes } from '../../../../shared/storage/storage.ts';

test.each<[string, readonly string[], string | undefined]>([
  ['a balancer’s', ['SERVERID=s1; path=/'], 'SERVERID=s1'],
  [
    'several',
    ['AWSALB=a+/=; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Path=/', 'AWSALBCORS=b; SameSite=None'],
    'AWSALB=a+/=; AWSALBCORS=b',
  ],
  ['a newer one', ['SERVERID=s1', 'SERVERID=s2; HttpOnly'], 'SERVERID=s2'],
  ['one that is taken back', ['SERVERID=s1', 'SERVERID=s1; Max-Age=0'], undefined],
  ['one that is over', ['SERVERID=s1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], undefined],
  ['one that is emptied', ['rememberMe=x', 'rememberMe='], undefined],
  ['what authenticates', ['hadoop.auth="u=root&s=…"; Path=/'], undefined],
  ['one without a name', ['=x', '; Path=/', ''], undefined],
  ['a huge one', [`big=${'x'.repeat(5000)}`], undefined],
])('%s is kept as it should be', (_what, lines, sent) => {
  const cookies = new Cookies();
  for (const line of lines) cookies.keep('http://a', [line]);
  expect(cookies.addTo('http://a', {})['cookie']).toBe(sent);
  expect(cookies.addTo('http://b', {})['cookie']).toBeUndefined();
});

test('cookies go along with what authenticates', () => {
  const cookies = new Cookies();
  cookies.keep('http://a', ['SERVERID=s1']);
  const sent = cookies.addTo('http://a', { cookie: 'hadoop.auth="u=a"', authorization: 'x' });
  expect(sent).toEqual({ cookie: 'hadoop.auth="u=a"; SERVERID=s1', authorization: 'x' });
});

test.each(['NONE', 'TOKEN'])(
  'a balancer’s cookie is sent to it again with %s, and to no other address',
  async (mechanism) => {
    const sticky = { ...fileStatus(), headers: { 'set-cookie': 'SERVERID=s1; path=/' } };
    await using other = await ScriptedServer.start([fileStatus()]);
    await using server = await ScriptedServer.start([sticky, fileStatus(), (_request, response) => response.destroy()]);
    await using fs = clientOf([server.url, other.url], { auth_mechanism: mechanism, token: 'T' });
    for (let i = 0; i < 3; i++) await fs.stat('/x', never);
    expect(server.requests.map(({ headers }) => headers.cookie)).toEqual([undefined, 'SERVERID=s1', 'SERVERID=s1']);
    expect(other.requests.map(({ headers }) => headers.cookie)).toEqual([undefined]);
  },
);

test('a datanode is sent no cookie and has none of its own kept', async () => {
  await using datanode = await ScriptedServer.start([{ text: 'hello', headers: { 'set-cookie': 'DN=1' } }]);
  const location = `${datanode.url}/webhdfs/v1/x?op=OPEN&namenoderpcaddress=nn`;
  await using namenode = await ScriptedServer.start([
    { ...fileStatus(), headers: { 'set-cookie': 'SERVERID=s1' } },
    { status: 307, headers: { location } },
  ]);
  await using fs = clientOf([namenode.url]);
  await fs.stat('/x', never);
  for (let i = 0; i < 2; i++) {
    const { body } = await fs.read('/x', allBytes(5), never);
    for await (const chunk of body) expect(chunk.length).toBe(5);
  }
  expect(datanode.requests.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined]);
  expect(namenode.requests.at(-1)?.headers.cookie).toBe('SERVERID=s1');
});
