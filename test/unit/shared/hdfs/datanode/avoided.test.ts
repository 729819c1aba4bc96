import { describe, expect, it } from 'vitest';
import { AvoidedDatanodes } from '../../../../../shared/hdfs/datanode/avoided.ts';
import { silentLog } from '../../../../../shared/log.ts';

const MINUTE = 60_000;

/** None yet, and a clock that is set by hand. */
function none() {
  const clock = { ms: 0 };
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => void warned.push(message) };
  return { avoided: new AvoidedDatanodes('prod', log, () => clock.ms), clock, warned };
}

describe('a datanode whose connection was lost', () => {
  it('is avoided for a minute, and comes back by itself', () => {
    const { avoided, clock } = none();
    expect(avoided.hosts).toEqual([]);
    avoided.note('dn1:9864', 'reset');
    clock.ms = MINUTE - 1;
    expect(avoided.hosts).toEqual(['dn1:9864']);
    clock.ms = MINUTE;
    expect(avoided.hosts).toEqual([]);
  });

  it('is avoided for longer each time it fails soon after it came back, up to ten minutes', () => {
    const { avoided, clock } = none();
    for (const minutes of [1, 2, 4, 8, 10, 10]) {
      avoided.note('dn1:9864', 'reset');
      clock.ms += minutes * MINUTE - 1;
      expect(avoided.hosts).toEqual(['dn1:9864']);
      clock.ms += 1;
      expect(avoided.hosts).toEqual([]);
    }
    clock.ms += 10 * MINUTE;
    avoided.note('dn1:9864', 'reset');
    clock.ms += MINUTE;
    expect(avoided.hosts).toEqual([]);
  });

  it('is avoided no longer for what was begun before it was avoided, and said once', () => {
    const { avoided, clock, warned } = none();
    for (let transfer = 0; transfer < 50; transfer++) avoided.note('dn1:9864', 'reset');
    clock.ms = MINUTE;
    expect(avoided.hosts).toEqual([]);
    expect(warned).toEqual(['the datanode is avoided for 60 s']);
  });
});

it('avoids twenty at once, those that were lost last', () => {
  const { avoided } = none();
  for (let i = 1; i <= 25; i++) avoided.note(`dn${i}:1`, 'reset');
  avoided.note('dn3:1', 'reset');
  expect(avoided.hosts).toHaveLength(20);
  expect(avoided.hosts.at(0)).toBe('dn7:1');
  expect(avoided.hosts.at(-1)).toBe('dn3:1');
});

it('tells of each loss once, by datanode, and of many datanodes together', () => {
  const { avoided } = none();
  for (const host of ['dn1:1', 'dn2:1', 'dn1:1']) avoided.note(host, 'reset');
  expect(avoided.take()).toEqual({
    'connections to the datanode dn1:1 of prod that died or stalled': 2,
    'connections to the datanode dn2:1 of prod that died or stalled': 1,
  });
  expect(avoided.take()).toEqual({});
  // What could not be told is told with what comes.
  avoided.note('dn1:1', 'reset');
  avoided.putBack({ 'connections to the datanode dn1:1 of prod that died or stalled': 2 });
  expect(avoided.take()).toEqual({ 'connections to the datanode dn1:1 of prod that died or stalled': 3 });
  for (let i = 1; i <= 60; i++) avoided.note(`dn${i}:1`, 'reset');
  const told = avoided.take();
  expect(Object.keys(told)).toHaveLength(51);
  expect(told['connections to other datanodes of prod that died or stalled']).toBe(10);
});
