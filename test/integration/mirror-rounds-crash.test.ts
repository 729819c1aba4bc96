import { expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { type End, MirrorRounds } from '../support/mirror-rounds.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** `ROUNDS` and `SEED` of the environment make it longer and another one. */

const bed = inject('bed');
const rounds = Number(process.env['ROUNDS'] ?? 4);
const seed = Number(process.env['SEED'] ?? 9);
const MINUTE = 60_000;
/** Changing requests before which, or after which, a run is killed, at most. */
const LATEST = 70;
const KILLS = 3;

const changing = new Set(
  'APPEND CONCAT CREATE DELETE MKDIRS RENAME SETACL SETOWNER SETPERMISSION SETREPLICATION SETTIMES SETXATTR'.split(' '),
);
const isChange = ({ operation, to }: FaultProxyRequest) => to === 'namenode' && changing.has(operation);
const named = 'owner,group,permission,times,replication,blocksize,acl,xattr';

test.each([
  { how: 'by a walk of both trees', flags: [] },
  { how: 'by snapshots', flags: ['--snapshot'] },
])(
  `${rounds} rounds of mirroring $how, each killed with kill -9 up to ${KILLS} times and resumed (seed ${seed}), end with equal trees and exact counts`,
  async ({ how, flags }) => {
    const pair = await TwoClusters.make(bed, `killed-rounds ${how}`);
    const source: End = { hdfs: pair.a, root: `${pair.root}/source` };
    const mirror: End = { hdfs: pair.b, root: `${pair.root}/mirror` };
    const tree = new MirrorRounds(seed, source);
    let left = Infinity;
    let cut: 'cut-before' | 'cut-after' = 'cut-before';
    let kill = () => undefined as unknown;
    await using proxy = await FaultProxy.start(bed.b, {
      react: (request) => {
        if (!isChange(request) || --left !== 0) return undefined;
        kill();
        return cut;
      },
    });
    const conf = pair.conf({ B: { url: proxy.url } });

    /** @returns undefined when it was killed */
    const run = async (args: readonly string[]) => {
      const { child, ended } = startCli(args, { conf, home: pair.home });
      kill = () => child.kill('SIGKILL');
      const result = await ended;
      if (result.code === null) return undefined;
      expect({ code: result.code, stderr: result.stderr }, result.stdout).toEqual({ code: 0, stderr: '' });
      return result.status;
    };
    /** Killed again and again, then left alone. */
    const copy = async (more: readonly string[]) => {
      const begin = [
        'copy',
        '--silent',
        '--exact',
        '--force',
        '--attributes',
        named,
        '--delete',
        '--max-delete',
        '100%',
      ];
      let args = [...begin, ...flags, ...more, `A:${source.root}`, `B:${mirror.root}`];
      for (let kills = 0; ; kills++) {
        left = kills < KILLS ? 1 + tree.random.below(LATEST) : Infinity;
        cut = tree.random.of(['cut-before', 'cut-after']);
        tree.note(`${args.slice(0, 4).join(' ')}, ${cut} change ${left}`);
        const status = await run(args);
        if (status) return status;
        const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'])).stdout.split('\n')[0] ?? '') as {
          Job: string;
        };
        args = ['copy', '--silent', '--resume', job];
      }
    };

    await tree.begin();
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', source.root);
    for (let round = 0; round < rounds; round++) {
      tree.note(`round ${round}`);
      if (round > 0) await tree.mutate(25);
      await tree.mirror(mirror, async () => {
        const status = await copy(round % 2 === 0 ? [] : ['--skip-trash']);
        expect(status['Snapshot Base'] !== undefined, status['Whole Walk']).toBe(round > 0 && flags.length > 0);
        return status;
      });
    }
    expect(tree.renamed > 0).toBe(flags.length > 0);
    const again = ['copy', '--silent', ...flags, '--exact', '--force', '--attributes', named, '--delete'];
    await tree.mirrorAgain(mirror, async () => {
      left = Infinity;
      return (await pair.run([...again, `A:${source.root}`, `B:${mirror.root}`], { conf })).status;
    });
  },
  rounds * 5 * MINUTE,
);
