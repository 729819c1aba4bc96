import { expect, test } from 'vitest';
import { cachedLookup } from '../../../../shared/hdfs/lookup.ts';

function counting() {
  const asked: string[] = [];
  const clock = { ms: 0 };
  const resolve = (hostname: string) => {
    asked.push(hostname);
    return hostname === 'missing'
      ? Promise.reject(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }))
      : Promise.resolve([{ address: `10.0.0.${asked.length}`, family: 4 }]);
  };
  const lookup = cachedLookup(resolve, () => clock.ms);
  const ask = (hostname: string) =>
    new Promise<string>((done) =>
      lookup(hostname, {}, (error, address) => done(error?.code ?? JSON.stringify(address))),
    );
  return { asked, clock, ask };
}

test('a name is asked for once in half a minute', async () => {
  const { asked, clock, ask } = counting();
  expect(await ask('dn1')).toBe('"10.0.0.1"');
  clock.ms = 29_999;
  expect(await ask('dn1')).toBe('"10.0.0.1"');
  clock.ms = 30_000;
  expect(await ask('dn1')).toBe('"10.0.0.2"');
  expect(asked).toEqual(['dn1', 'dn1']);
});

test('a failure is told and not kept', async () => {
  const { asked, ask } = counting();
  expect(await ask('missing')).toBe('ENOTFOUND');
  expect(await ask('missing')).toBe('ENOTFOUND');
  expect(asked).toHaveLength(2);
});
