import { expect, test } from 'vitest';
import { addressOf, hostPortOf, splitPort } from '../../../../shared/hdfs/addresses.ts';

const addresses = {
  'dn1.prod.internal': '10.1.2.3',
  'ip-*.ec2.internal': 'dn-*.example.com',
  '*.rack*.prod.internal': 'rack*.*.example.com',
  '*.nat.internal': 'gateway.example.com',
  '172.18.0.3': '192.0.2.7',
  '172.18.0.4:9864': '192.0.2.7:31001',
  '172.18.0.4': '192.0.2.7:31002',
  '10.*': '127.0.0.1',
  'fd00::3': '::1',
  '[fd00::4]:9864': '[::1]:31004',
  'dn-*': 'gate.example.com:31234',
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
  ['172.18.0.3', '192.0.2.7'],
  ['172x18.0.3', '172x18.0.3'],
  ['10.9.8.7', '127.0.0.1'],
  ['fd00::3', '::1'],
])('%s is reached at %s, at its own port', (hostname, host) => {
  expect(addressOf({ hostname, port: 9864 }, addresses)).toEqual({ hostname: host, port: 9864 });
});

test.each([
  ['dn-7', 9864, 'gate.example.com', 31234],
  ['172.18.0.4', 9864, '192.0.2.7', 31001],
  ['172.18.0.4', 9865, '192.0.2.7', 31002],
  ['fd00::4', 9864, '::1', 31004],
  ['fd00::4', 9865, 'fd00::4', 9865],
])('%s, port %i, is reached at %s, port %i', (hostname, port, host, at) => {
  expect(addressOf({ hostname, port }, addresses)).toEqual({ hostname: host, port: at });
});

test.each([
  ['host', 'host', undefined],
  ['host:80', 'host', 80],
  ['192.0.2.1:80', '192.0.2.1', 80],
  ['::1', '::1', undefined],
  ['[::1]', '::1', undefined],
  ['[::1]:80', '::1', 80],
])('%s is the host %s and the port %s', (text, hostname, port) => {
  expect(splitPort(text)).toEqual({ hostname, port });
});

test.each([
  ['http://nn1', 'nn1', 80],
  ['https://nn1/gateway', 'nn1', 443],
  ['http://nn1:9870', 'nn1', 9870],
  ['https://[2001:db8::7]:9871', '2001:db8::7', 9871],
])('the server of %s is %s, port %i', (url, hostname, port) => {
  expect(hostPortOf(url)).toEqual({ hostname, port });
});
