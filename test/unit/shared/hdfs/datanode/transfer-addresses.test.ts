import { expect, it } from 'vitest';
import { TransferAddresses } from '../../../../../shared/hdfs/datanode/transfer-addresses.ts';
import type { HttpTransport } from '../../../../../shared/hdfs/http.ts';
import { silentLog } from '../../../../../shared/log.ts';

const MINUTE = 60_000;
const namenode = { url: 'http://nn1:9870' };

/** Addresses of datanodes by a namenode that tells what `nodes` has, or fails. */
function told(nodes: Record<string, string> | undefined) {
  const namenodes = { nodes, asked: 0 };
  const clock = { ms: 0 };
  const exchange = () => {
    namenodes.asked += 1;
    if (!namenodes.nodes) return Promise.reject(new Error('timed out'));
    const live = Object.entries(namenodes.nodes).map(([host, xferaddr]) => [
      host.replace(/:.*/, ':9866'),
      { infoAddr: host, xferaddr },
    ]);
    const text = JSON.stringify({ beans: [{ LiveNodes: JSON.stringify(Object.fromEntries(live)) }] });
    return Promise.resolve({ text });
  };
  const addresses = new TransferAddresses({ exchange } as unknown as HttpTransport, silentLog, () => clock.ms);
  return { namenodes, clock, of: (...hosts: string[]) => addresses.of(hosts, namenode) };
}

it('asks a namenode that did not answer again, once a minute', async () => {
  const { namenodes, clock, of } = told(undefined);
  for (let times = 0; times < 3; times++) expect(await of('10.0.0.1:9864')).toEqual(['10.0.0.1']);
  expect(namenodes.asked).toBe(1);
  namenodes.nodes = { '10.0.0.1:9864': '10.0.0.1:9866' };
  clock.ms = MINUTE;
  const all = await Promise.all([of('10.0.0.1:9864'), of('10.0.0.1:9864')]);
  expect(all).toEqual([['10.0.0.1:9866'], ['10.0.0.1:9866']]);
  expect(namenodes.asked).toBe(2);
});

it('keeps what was told', async () => {
  const { namenodes, clock, of } = told({ '10.0.0.1:9864': '10.0.0.1:9866' });
  await of('10.0.0.1:9864');
  clock.ms = 10 * MINUTE;
  expect(await of('10.0.0.1:9864')).toEqual(['10.0.0.1:9866']);
  expect(namenodes.asked).toBe(1);
  namenodes.nodes = undefined;
  expect(await of('10.0.0.1:9864', '10.0.0.2:9864')).toEqual(['10.0.0.1:9866', '10.0.0.2']);
  expect(namenodes.asked).toBe(2);
});

it('leaves out no address of IPv6, which a namenode would cut at its first colon', async () => {
  const { of } = told({
    '10.0.0.1:9864': '[fd00::1]:9866',
    '10.0.0.2:9864': 'fd00::2:9866',
    '10.0.0.3:9864': '10.0.0.3:9866',
  });
  expect(await of('10.0.0.1:9864', '10.0.0.2:9864', '10.0.0.3:9864', '[fd00::4]:9864')).toEqual(['10.0.0.3:9866']);
});
