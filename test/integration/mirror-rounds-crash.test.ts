import { expect, inject, test } from 'vitest';
import { newHome, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { type End, MirrorRounds } from '../support/mirror-rounds.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** `ROUNDS` and `SEED` of the environment make it longer and another one. */

const bed = inject('bed');
const rounds = Number(process.env['ROUNDS'] ?? 6);
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

test(
  `${rounds} rounds of mirroring, each killed with kill -9 up to ${KILLS} times and resumed (seed ${seed}), end with equal trees and exact counts`,
  async () => {
    const pair = await TwoClusters.make(bed, 'killed-rounds');
    const source: End = { hdfs: pair.a, root: `${pair.root}/source` };
    const mirror: End = { hdfs: pair.b, root: `${pair.root}/mirror` };
    const tree = new MirrorRounds(seed, source, mirror);
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
    const run = async (args: readonly string[], home: string) => {
      const { child, ended } = startCli(args, { conf, home });
      kill = () => child.kill('SIGKILL');
      const result = await ended;
      if (result.code === null) return undefined;
      expect({ code: result.code, stderr: result.stderr }, result.stdout).toEqual({ code: 0, stderr: '' });
      return result.status;
    };
    /** Killed again and again, then left alone. */
    const copy = async (flags: readonly string[]) => {
      const home = newHome();
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
      let args = [...begin, ...flags, `A:${source.root}`, `B:${mirror.root}`];
      for (let kills = 0; ; kills++) {
        left = kills < KILLS ? 1 + tree.random.below(LATEST) : Infinity;
        cut = tree.random.of(['cut-before', 'cut-after']);
        tree.note(`${args.slice(0, 4).join(' ')}, ${cut} change ${left}`);
        const status = await run(args, home);
        if (status) return status;
        const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'], { home })).stdout) as { Job: string };
        args = ['copy', '--silent', '--resume', job];
      }
    };

    await tree.begin();
    for (let round = 0; round < rounds; round++) {
      tree.note(`round ${round}`);
      if (round > 0) await tree.mutate(25);
      await tree.mirror(mirror, () => copy(round % 2 === 0 ? [] : ['--skip-trash']));
    }
    const again = ['copy', '--silent', '--exact', '--force', '--attributes', named, '--delete'];
    await tree.mirrorAgain(mirror, async () => {
      left = Infinity;
      return (await pair.run([...again, `A:${source.root}`, `B:${mirror.root}`], { conf })).status;
    });
  },
  rounds * 2 * MINUTE,
);
