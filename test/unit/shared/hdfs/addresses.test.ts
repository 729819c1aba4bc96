import { expect, test } from 'vitest';
import { addressOf } from '../../../../shared/hdfs/addresses.ts';
import { cachedLookup } from '../../../../shared/hdfs/lookup.ts';

const addresses = {
  'dn1.prod.internal': '10.1.2.3',
  'ip-*.ec2.internal': 'dn-*.example.com',
  '*.rack*.prod.internal': 'rack*.*.example.com',
  '*.nat.internal': 'gateway.example.com',
};

test.each([
  ['dn1.prod.internal', '10.1.2.3'],
  ['DN1.Prod.Internal', '10.1.2.3'],
  ['ip-10-0-0-7.ec2.internal', 'dn-10-0-0-7.example.com'],
  ['dn4.rack9.prod.internal', 'rackdn4.9.example.com'],
  ['a.b.nat.internal', 'gateway.example.com'],
  ['dn1-prod-internal', 'dn1-prod-internal'],
  ['xdn1.prod.internal', 'xdn1.prod.internal'],
  ['dn1.prod.internal.example.com', 'dn1.prod.internal.example.com'],
  ['namenode', 'namenode'],
])('%s is looked up as %s', (name, host) => {
  expect(addressOf(name, addresses)).toBe(host);
});

test('a lookup asks for the host that takes the place of a name', async () => {
  const asked: string[] = [];
  const lookup = cachedLookup(addresses, (hostname) => {
    asked.push(hostname);
    return Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
  });
  const address = await new Promise((done) => lookup('ip-10-0-0-7.ec2.internal', {}, (_error, found) => done(found)));
  expect({ asked, address }).toEqual({ asked: ['dn-10-0-0-7.example.com'], address: '127.0.0.1' });
});
