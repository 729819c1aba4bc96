import { ListMapRunsCommand, type SFNClient, UpdateMapRunCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { Executions } from '../../../../shared/aws/executions.ts';
import { copiersFor } from '../../../../shared/aws/scale.ts';

const GIB = 1024 ** 3;

describe('copiersFor', () => {
  it.each([
    [0, {}, 20],
    [1, {}, 1],
    [10, {}, 1],
    [11, {}, 2],
    [5000, {}, 20],
    [0, { most: 35 }, 4],
    [20, { most: 35 }, 2],
    [500, { most: 5 }, 1],
  ])('%i transfers within %j: %i copiers', (threads, most, expected) => {
    const options = { threads, bandwidth: 'off', namenodeOps: 'off', chunkSize: GIB } as const;
    expect(copiersFor(options, { transfers: 10, copiers: 20, ...most })).toBe(expected);
  });

  it.each([
    ['10M', 10, {}, 2],
    ['1M', 10, {}, 1],
    ['1', 10, {}, 1],
    ['50M', 10, {}, 11],
    ['50M', 1, {}, 29],
    ['50M', 10, { chunkSize: 8 * GIB }, 3],
    ['off', 10, {}, 100],
    ['08:00,10M 19:00,50M UTC', 10, {}, 11],
    ['08:00,10M 19:00,off UTC', 10, {}, 100],
    ['50M', 10, { bytesPerSecond: 10 * 1024 ** 2 }, 2],
    ['off', 10, { bytesPerSecond: 10 * 1024 ** 2 }, 2],
  ])('at %s with %i transfers each and %j: %i copiers, so that each can end a large file', (...given) => {
    const [bandwidth, transfers, { chunkSize = GIB, ...scale }, expected] = given as [
      string,
      number,
      { chunkSize?: number; bytesPerSecond?: number },
      number,
    ];
    const options = { threads: 0, bandwidth, namenodeOps: 'off', chunkSize } as const;
    expect(copiersFor(options, { transfers, copiers: 100, ...scale })).toBe(expected);
  });

  it.each([
    [1, 10, {}, 1],
    [50, 10, {}, 30],
    [50, 1, {}, 100],
    ['off', 10, {}, 100],
    ['off', 10, { opsPerSecond: 20 }, 12],
    [50, 10, { opsPerSecond: 20 }, 12],
  ] as const)(
    'at %s requests a second with %i transfers each and %j: %i copiers, so that none waits all its life for its turns',
    (namenodeOps, transfers, clusters, expected) => {
      const options = { threads: 0, bandwidth: 'off', namenodeOps, chunkSize: GIB } as const;
      expect(copiersFor(options, { transfers, copiers: 100, ...clusters })).toBe(expected);
    },
  );
});

describe('setConcurrency', () => {
  /** Step Functions as far as it is asked here: the emulator has no UpdateMapRun. */
  const asked = async (mapRuns: readonly object[]) => {
    const sent: object[] = [];
    const send = (command: object) => {
      if (command instanceof ListMapRunsCommand) sent.push(command.input);
      if (command instanceof UpdateMapRunCommand) sent.push(command.input);
      return Promise.resolve({ mapRuns });
    };
    await new Executions({ send } as unknown as SFNClient).setConcurrency('execution', 7);
    return sent;
  };

  it('changes the map that runs', async () => {
    const runs = [{ mapRunArn: 'over', stopDate: new Date() }, { mapRunArn: 'running' }];
    expect(await asked(runs)).toEqual([{ executionArn: 'execution' }, { mapRunArn: 'running', maxConcurrency: 7 }]);
  });

  it('changes nothing before there is one', async () => {
    expect(await asked([])).toEqual([{ executionArn: 'execution' }]);
  });
});
