import { describe, expect, it } from 'vitest';
import { locationsOf, parseLocation } from '../../../../shared/endpoints/location.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';

describe('parseLocation', () => {
  it.each([
    ['prod:/data/in', 'prod', '/data/in'],
    ['prod:relative/path', 'prod', 'relative/path'],
    ['local:.', 'local', '.'],
    ['a.b-c_1:/x', 'a.b-c_1', '/x'],
    ['prod:/with:colon', 'prod', '/with:colon'],
    ['prod:/new\nline', 'prod', '/new\nline'],
    ['prod:/{a,b}/*', 'prod', '/{a,b}/*'],
    ['prod: /', 'prod', ' /'],
  ])('takes %j apart', (text, alias, path) => {
    expect(parseLocation(text)).toEqual({ alias, path });
  });

  it.each(['', '/data', 'prod', 'prod:', ':/data', 'pr od:/x', '-x:/y', 'prod/x:/y', 'prod:/a\0b'])(
    'refuses %j',
    (text) => {
      expect(() => parseLocation(text)).toThrow(expect.objectContaining({ name: 'SpecError' }));
    },
  );
});

describe('locationsOf', () => {
  it('takes all sources of one cluster', () => {
    const spec = parseJobSpec({ source: ['prod:/a', 'prod:/b*'], destination: 'local:out' });
    expect(locationsOf(spec)).toEqual({
      sourceAlias: 'prod',
      patterns: ['/a', '/b*'],
      destinationAlias: 'local',
      destinationPath: 'out',
    });
  });

  it('refuses sources in two clusters', () => {
    const spec = parseJobSpec({ source: ['prod:/a', 'dr:/b'], destination: 'local:out' });
    expect(() => locationsOf(spec)).toThrow('the sources lie in two clusters, prod and dr');
  });
});
