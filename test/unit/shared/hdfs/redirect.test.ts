import { describe, expect, it } from 'vitest';
import { Nameservice } from '../../../../shared/hdfs/nameservice.ts';
import { redirectOf } from '../../../../shared/hdfs/redirect.ts';

const NN = 'namenoderpcaddress=nn:8020';
const redirected = (location: string, path: string, urls = ['http://nn1:9870', 'http://nn2:9870']) =>
  redirectOf(location, new Nameservice(urls, ['/']), { operation: 'OPEN', path });

describe('a redirect to a datanode', () => {
  it.each<[string, string, string]>([
    ['a decomposed letter', '/d/e\u0301', '/d/%C3%A9'],
    ['a decomposed directory', '/e\u0301/_hdfs-fanout.1', '/%C3%A9/_hdfs-fanout.1'],
    ['the sign of ångström', '/\u212b', '/%C3%85'],
    ['the sign of ohm', '/\u2126', '/%CE%A9'],
    ['jamo', '/\u1112\u1161\u11ab', '/%ED%95%9C'],
    ['marks in another order', '/a\u0301\u0323', '/%E1%BA%A1%CC%81'],
    ['a compatibility ideograph', '/\uf900', '/%E8%B1%88'],
    ['what a namenode leaves as it is', '/a+b;c&d=e,f@g', '/a+b;c&d=e,f@g'],
    ['a percent sign', '/100%2F', '/100%252F'],
  ])('is sent our own spelling of %s', (_what, path, spelt) => {
    const { url, base } = redirected(`http://dn1:9864/webhdfs/v1${spelt}?op=OPEN&${NN}`, path);
    expect(base).toBeUndefined();
    const [, sent = '', query] = /^http:\/\/dn1:9864\/webhdfs\/v1([^?]*)\?(.*)$/.exec(url) ?? [];
    expect(decodeURIComponent(sent)).toBe(path);
    expect(query).toBe(`op=OPEN&${NN}`);
  });

  it.each([
    ['another path', 'http://dn1:9864/webhdfs/v1/mount/x?op=OPEN'],
    ['what cannot be decoded', 'http://dn1:9864/webhdfs/v1/%zz?op=OPEN'],
    ['another shape', 'http://dn1:9864/data/v1/x?_=abc'],
    ['no query', 'http://dn1:9864/webhdfs/v1/x'],
  ])('is left as it is with %s', (_what, location) => {
    expect(redirected(location, '/x')).toEqual({ url: location, base: undefined });
  });
});

describe('a redirect of HttpFS to itself', () => {
  const self = { url: 'https://lb/webhdfs/v1/d/a%20b?op=CREATE&data=true', base: 'https://lb' };
  it.each([
    ['under its own name behind a balancer', 'http://httpfs-0.internal:14000/webhdfs/v1/d/a%20b?op=CREATE&data=true'],
    ['without the TLS that a proxy ended', 'http://lb/webhdfs/v1/d/a%20b?op=CREATE&data=true'],
    ['without the port', 'https://lb:443/webhdfs/v1/d/a%20b?op=CREATE&data=true'],
    ['relative', '/webhdfs/v1/d/a%20b?op=CREATE&data=true'],
    ['relative, of the query alone', '?op=CREATE&data=true'],
    ['relative, of the host', '//lb/webhdfs/v1/d/a%20b?op=CREATE&data=true'],
  ])('%s leads to where the definition says it is', (_what, location) => {
    const { url, base } = redirected(location, '/d/a b', ['https://lb']);
    expect({ url: url.replace('https://lb:443', 'https://lb'), base }).toEqual(self);
  });

  it('below the path of a proxy leads there', () => {
    const location = 'http://httpfs-0:14000/webhdfs/v1/x?data=true&op=CREATE';
    expect(redirected(location, '/x', ['https://lb/hdfs'])).toEqual({
      url: 'https://lb/hdfs/webhdfs/v1/x?data=true&op=CREATE',
      base: 'https://lb/hdfs',
    });
  });

  it('is not what a namenode sends, whatever a name looks like', () => {
    const location = `http://dn1:9864/webhdfs/v1/x?op=OPEN&${NN}&data=true`;
    expect(redirected(location, '/x').base).toBeUndefined();
  });

  it('may be at another of the addresses, which then gets its own credentials', () => {
    const location = 'http://nn2:9870/webhdfs/v1/x?op=CREATE&data=true';
    expect(redirected(location, '/x')).toEqual({ url: location, base: 'http://nn2:9870' });
  });
});
