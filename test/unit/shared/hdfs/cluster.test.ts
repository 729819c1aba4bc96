import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clustersFile, clustersFileSchema, loadClusters, parseClusters } from '../../../../shared/hdfs/cluster.ts';

const SECRET = 'HgAFcm9vdAdTRUNSRVQ';
const cluster = (changes: Record<string, unknown> = {}) => ({
  name: 'prod',
  nameservices: [{ urls: ['http://nn1:9870'], mounts: ['/'] }],
  ...changes,
});
const parse = (document: unknown) => parseClusters(JSON.stringify(document), 'clusters.json');
const one = (changes: Record<string, unknown> = {}) => parse({ clusters: [cluster(changes)] }).get('prod');

/** As pywhdfs documents its file: every field that it knows. */
const pywhdfs = `{
  "clusters": [
    { "name": "prod", "auth_mechanism": "GSSAPI", "mutual_auth": "OPTIONAL", "max_concurrency": 10,
      "verify": false, "truststore": "/etc/ssl/prod.pem", "user": "etl", "doas": "alice", "root": "/base", "timeout": 60,
      "nameservices": [
        { "urls": ["http://nn1:50070", "http://nn2:50070/"], "mounts": ["/"] },
        { "urls": ["https://nn3.example.com:50470"], "mounts": ["/data", "/logs"] } ] },
    { "name": "dr", "auth_mechanism": "TOKEN", "token": "${SECRET}",
      "nameservices": [ { "urls": ["https://gw:8443/gateway/dr"], "mounts": ["/"] } ] },
    { "name": "dev", "auth_mechanism": "NONE", "max_concurrency": -1,
      "nameservices": [ { "urls": ["http://localhost:50070"], "mounts": ["/"] } ] },
    { "name": "kt", "auth_mechanism": "TKN_GSSAPI", "mutual_auth": "REQUIRED",
      "nameservices": [ { "urls": ["http://nn9:50070"], "mounts": ["/"] } ] } ],
  "configuration": { "logging": { "disable": false, "path": "/tmp/pywhdfs.log", "level": "info" } }
}`;

describe('a configuration', () => {
  it('of pywhdfs loads unchanged', () => {
    const clusters = parseClusters(pywhdfs, '.webhdfs.cfg');
    expect([...clusters.keys()]).toEqual(['prod', 'dr', 'dev', 'kt']);
    expect(clusters.get('prod')).toEqual({
      name: 'prod',
      auth_mechanism: 'GSSAPI',
      mutual_auth: 'OPTIONAL',
      max_concurrency: 10,
      verify: false,
      truststore: '/etc/ssl/prod.pem',
      user: 'etl',
      doas: 'alice',
      root: '/base',
      timeout: 60,
      retry_timeout: 120,
      nameservices: [
        { urls: ['http://nn1:50070', 'http://nn2:50070'], mounts: ['/'] },
        { urls: ['https://nn3.example.com:50470'], mounts: ['/data', '/logs'] },
      ],
    });
    expect(clusters.get('dr')).toMatchObject({ auth_mechanism: 'TOKEN', token: SECRET });
  });

  it('needs little: the rest has defaults, and TLS certificates are verified', () => {
    expect(one()).toEqual({
      name: 'prod',
      auth_mechanism: 'NONE',
      mutual_auth: 'OPTIONAL',
      verify: true,
      timeout: 60,
      retry_timeout: 120,
      nameservices: [{ urls: ['http://nn1:9870'], mounts: ['/'] }],
    });
  });

  it.each<[string, unknown, string]>([
    ['no clusters', {}, 'clusters: '],
    ['an empty list of clusters', { clusters: [] }, 'clusters: '],
    ['a list', [], 'the document: '],
    ['an unknown field', { clusters: [cluster()], extra: 1 }, '"extra"'],
    [
      'an unknown field of a cluster',
      { clusters: [cluster({ tokn: SECRET })] },
      'clusters[0]: Unrecognized key: "tokn"',
    ],
    ['a cluster without a name', { clusters: [cluster({ name: undefined })] }, 'clusters[0].name: '],
    [
      'a cluster named local',
      { clusters: [cluster(), cluster({ name: 'local' })] },
      'clusters[1].name: "local" is the machine itself',
    ],
    ['a name with a colon', { clusters: [cluster({ name: 'a:b' })] }, 'clusters[0].name: '],
    ['two clusters of one name', { clusters: [cluster(), cluster()] }, 'clusters[1].name: "prod" is defined twice'],
    ['no nameservice', { clusters: [cluster({ nameservices: [] })] }, 'clusters[0].nameservices: '],
    [
      'no URL',
      { clusters: [cluster({ nameservices: [{ urls: [], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls: ',
    ],
    [
      'no mount',
      { clusters: [cluster({ nameservices: [{ urls: ['http://a'], mounts: [] }] })] },
      'clusters[0].nameservices[0].mounts: ',
    ],
    [
      'a relative mount',
      { clusters: [cluster({ nameservices: [{ urls: ['http://a'], mounts: ['data'] }] })] },
      'clusters[0].nameservices[0].mounts[0]: ',
    ],
    [
      'a URL of another scheme',
      { clusters: [cluster({ nameservices: [{ urls: ['http://a', 'hdfs://b:8020'], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[1]: expected an http:// or https:// URL',
    ],
    [
      'a URL with a query',
      { clusters: [cluster({ nameservices: [{ urls: [`http://a/?delegation=${SECRET}`], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[0]: ',
    ],
    [
      'a password in a URL',
      { clusters: [cluster({ nameservices: [{ urls: [`https://etl:${SECRET}@knox:8443/gateway`], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[0]: holds a user or a password: use auth_mechanism BASIC',
    ],
    [
      'a user in a URL',
      { clusters: [cluster({ nameservices: [{ urls: [`http://${SECRET}@nn1:9870`], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[0]: holds a user or a password',
    ],
    [
      'a query in the place of a port',
      { clusters: [cluster({ nameservices: [{ urls: [`http://nn1:9870?x=${SECRET}`], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[0]: has a ? or #',
    ],
    [
      'a fragment in a URL',
      { clusters: [cluster({ nameservices: [{ urls: [`http://nn1:9870/#${SECRET}`], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[0]: has a ? or #',
    ],
    ...['http://', 'http://nn1:99999', 'http://nn 1:9870', 'http://[::1:9870', 'nn1:9870', 'http:/nn1', ''].map(
      (url): [string, unknown, string] => [
        `the URL "${url}"`,
        { clusters: [cluster({ nameservices: [{ urls: [url], mounts: ['/'] }] })] },
        'clusters[0].nameservices[0].urls[0]: expected an http:// or https:// URL',
      ],
    ),
    [
      'an address twice',
      { clusters: [cluster({ nameservices: [{ urls: ['http://nn1', 'http://NN1:80/webhdfs/v1'], mounts: ['/'] }] })] },
      'clusters[0].nameservices[0].urls[1]: this address is named twice',
    ],
    [
      'a mount of two nameservices',
      {
        clusters: [
          cluster({
            nameservices: [
              { urls: ['http://a'], mounts: ['/', '/data'] },
              { urls: ['http://b'], mounts: ['//data/'] },
            ],
          }),
        ],
      },
      'clusters[0].nameservices[1].mounts[0]: the mount /data is named twice',
    ],
    [
      'a proxy that is none',
      { clusters: [cluster({ proxy: `socks5://u:${SECRET}@p` })] },
      'clusters[0].proxy: expected',
    ],
    ['an unknown authentication', { clusters: [cluster({ auth_mechanism: SECRET })] }, 'clusters[0].auth_mechanism: '],
    ['TOKEN without a token', { clusters: [cluster({ auth_mechanism: 'TOKEN' })] }, 'clusters[0].token: missing'],
    ['an empty token', { clusters: [cluster({ token: '' })] }, 'clusters[0].token: '],
    ['a token that is a list', { clusters: [cluster({ token: [SECRET] })] }, 'clusters[0].token: '],
    ['a relative root', { clusters: [cluster({ root: 'base' })] }, 'clusters[0].root: '],
    ['a timeout of zero', { clusters: [cluster({ timeout: 0 })] }, 'clusters[0].timeout: '],
    ['a timeout that is text', { clusters: [cluster({ timeout: SECRET })] }, 'clusters[0].timeout: '],
    ['a switch that is text', { clusters: [cluster({ verify: SECRET })] }, 'clusters[0].verify: '],
  ])('with %s is refused, by its place in the JSON and without its values', (_what, document, place) => {
    const refusing = () => parse(document);
    expect(refusing).toThrow(expect.objectContaining({ name: 'SpecError', disposition: 'fail-job' }));
    expect(refusing).toThrow(`clusters.json: ${place.startsWith('"') ? '' : place}`);
    expect(refusing).toThrow(place);
    expect(refusing).not.toThrow(SECRET);
  });

  it.each([
    ['is cut short', `{"clusters": [{"name": "prod", "token": "${SECRET}"`],
    ['has a stray comma', `{"clusters": [{"token": "${SECRET}",}]}`],
    ['has text after a token', `{"token": "${SECRET}" oops}`],
    ['is a token', SECRET],
    ['is empty', ''],
  ])('that %s is told by position, and no token with it', (_what, text) => {
    const refusing = () => parseClusters(text, 'clusters.json');
    expect(refusing).toThrow(/^clusters\.json is not JSON: syntax error(?: at (?:position \d+|its end))?/);
    for (let length = 4; length <= SECRET.length; length++) expect(refusing).not.toThrow(SECRET.slice(0, length));
  });

  it.each([
    ['http://nn1:9870', 'http://nn1:9870'],
    ['http://nn1:9870///', 'http://nn1:9870'],
    ['http://nn1:9870/webhdfs/v1', 'http://nn1:9870'],
    ['http://nn1:9870/webhdfs/v1/', 'http://nn1:9870'],
    ['http://nn1:9870//webhdfs//v1//', 'http://nn1:9870'],
    ['http://nn1:9870/webhdfs', 'http://nn1:9870'],
    ['https://knox:8443/gateway/default/webhdfs/v1', 'https://knox:8443/gateway/default'],
    ['https://knox:8443/gateway/webhdfs-v1', 'https://knox:8443/gateway/webhdfs-v1'],
    [' HTTP://NN1:9870 ', 'http://NN1:9870'],
    ['http://[::1]:9870', 'http://[::1]:9870'],
    ['http://name_node:9870', 'http://name_node:9870'],
  ])('with the URL %s means %s', (given, url) => {
    const parsed = one({ nameservices: [{ urls: [given], mounts: ['/data/', '//logs'] }] });
    expect(parsed?.nameservices).toEqual([{ urls: [url], mounts: ['/data', '/logs'] }]);
  });

  it('is described by a JSON Schema', () => {
    expect(() => z.toJSONSchema(clustersFileSchema, { io: 'input' })).not.toThrow();
  });
});

describe('the configuration file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-clusters-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is the option, then $WEBHDFS_CONFIG, then ~/.webhdfs.cfg', () => {
    expect(clustersFile('/opt', { WEBHDFS_CONFIG: '/env' })).toBe('/opt');
    expect(clustersFile(undefined, { WEBHDFS_CONFIG: '/env' })).toBe('/env');
    expect(clustersFile(undefined, {})).toMatch(/\/\.webhdfs\.cfg$/);
  });

  it('is read', () => {
    const file = join(directory, 'clusters.json');
    writeFileSync(file, JSON.stringify({ clusters: [cluster()] }));
    expect([...loadClusters(file).keys()]).toEqual(['prod']);
  });

  it('that is missing is named, with what else to do', () => {
    const file = join(directory, 'missing.json');
    expect(() => loadClusters(file)).toThrow(
      /cannot read the cluster configuration .*missing\.json: ENOENT.*--conf or \$WEBHDFS_CONFIG/,
    );
  });
});
