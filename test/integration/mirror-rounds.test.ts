import { expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type End, MirrorRounds } from '../support/mirror-rounds.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/**
 * A tree of every kind is changed at random and mirrored, again and again. `ROUNDS` and `SEED` of the environment make it
 * longer and another one.
 */

const bed = inject('bed');
const rounds = Number(process.env['ROUNDS'] ?? 10);
const seed = Number(process.env['SEED'] ?? 14);
const MINUTE = 60_000;

const deleting = ['--delete', '--max-delete', '100%'];
/** All that `--preserve` stands for, also of unchanged files. */
const named = ['--force', '--attributes', 'owner,group,permission,times,replication,blocksize,acl,xattr'];
const denied = JSON.stringify({
  RemoteException: {
    exception: 'AccessControlException',
    javaClassName: 'org.apache.hadoop.security.AccessControlException',
    message: 'Permission denied: user=root, access=WRITE, inode="/":hdfs:hdfs:drwxr-xr-x',
  },
});

/** How a mirror is brought up to date, and what has it look at everything after it was changed by hand. */
interface Way {
  readonly name: string;
  readonly flags: readonly string[];
  readonly repair: readonly string[];
  /** Whether the attributes that are mirrored in a round are named one by one. */
  readonly isNamed: (round: number) => boolean;
}

const ways: readonly Way[] = [
  { name: 'by a walk of both trees', flags: [], repair: [], isNamed: (round) => round % 2 === 1 },
  // Other attributes have a job look at everything: they change where that is so in any case.
  {
    name: 'by snapshots',
    flags: ['--snapshot'],
    repair: ['--repair'],
    isNamed: (round) => Math.floor((round + 2) / 5) % 2 === 0,
  },
];

test.each(ways)(
  `${rounds} rounds of random changes (seed ${seed}) are mirrored $name, and a run after each does nothing`,
  async ({ name, flags, repair, isNamed }) => {
    const pair = await TwoClusters.make(bed, `rounds ${name}`);
    const source: End = { hdfs: pair.a, root: `${pair.root}/source` };
    const onB: End = { hdfs: pair.b, root: `${pair.root}/mirror` };
    const onHttpFs: End = { hdfs: pair.a, root: `${pair.root}/by HttpFS` };
    const tree = new MirrorRounds(seed, source);
    const isBySnapshots = flags.includes('--snapshot');
    /** Operations of which the next request is refused. */
    const refused = new Set<string>();
    // It is always there: behind another address the mirror is another one.
    await using proxy = await FaultProxy.start(bed.b, {
      react: ({ operation }) => (refused.delete(operation) ? { answer: { status: 403, body: denied } } : undefined),
    });
    const conf = pair.conf({ B: { url: proxy.url }, H: { url: bed.httpFs } });
    const copy = (to: string, more: readonly string[]) => {
      tree.note(`copy to ${to} with ${more.join(' ')}`);
      return pair.run(['copy', '--silent', '--exact', ...flags, ...more, `A:${source.root}`, to], { conf });
    };
    /** @param isNarrow  whether a job looks only at what has changed, where there are snapshots */
    const successful = async (to: string, more: readonly string[], isNarrow: boolean) => {
      const { code, stderr, status } = await copy(to, more);
      const told = { code, stderr, isNarrow: status['Snapshot Base'] !== undefined };
      expect(told, status['Whole Walk']).toEqual({ code: 0, stderr: '', isNarrow: isNarrow && isBySnapshots });
      return status;
    };
    /** A job of which a file fails: it deletes nothing. */
    const failing = async (more: readonly string[]) => {
      refused.add('CREATE');
      const { code, status } = await copy(`B:${onB.root}`, more);
      if (refused.delete('CREATE')) return;
      expect({ code, status }).toMatchObject({ code: 1, status: { 'Files Failed': 1, 'Files Deleted': 0 } });
    };

    /** A job that leaves some names alone: they may stand where something of another kind is needed, and nothing else may fail. */
    const filtered = async (more: readonly string[]) => {
      const few = ['--exclude', tree.random.of(['a', 'b*', '*.*', '* *']), '--max-size', '1M'];
      const { code, status } = await copy(`B:${onB.root}`, [...more, ...few]);
      const { stdout } = await pair.run(['status', status.Job, '--failures', '--json']);
      const failures = stdout.split('\n').filter((line) => line !== '');
      expect({ code, failed: failures.length }).toEqual({
        code: failures.length > 0 ? 1 : 0,
        failed: status['Files Failed'],
      });
      for (const failure of failures) expect(failure).toMatch(/a (file|directory) stands/);
    };

    await tree.begin();
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', source.root);
    for (let round = 0; round < rounds; round++) {
      const unlisted = isNamed(round);
      const attributes = unlisted ? named : ['-fp'];
      const usual = [...attributes, ...deleting];
      tree.note(`round ${round}`);
      if (round > 0) await tree.mutate(undefined, unlisted);
      if (round % 5 === 2) {
        await failing(usual);
        await tree.mutate(undefined, unlisted);
      }
      if (round % 5 === 3) {
        await filtered(usual);
        await tree.mutate(undefined, unlisted);
      }
      const byHand = round % 5 === 4;
      if (byHand) await tree.meddle(onB, unlisted);
      const again = [...usual, ...(byHand ? repair : [])];
      await tree.mirror(onB, () => successful(`B:${onB.root}`, again, round > 0 && round % 5 < 3));
      await tree.mirrorAgain(onB, () => successful(`B:${onB.root}`, usual, true));
      if (round % 4 !== 3) continue;
      const lasting = [...named, ...deleting, '--skip-trash'];
      await tree.mirror(onHttpFs, () => successful(`H:${onHttpFs.root}`, lasting, round > 3));
      await tree.mirrorAgain(onHttpFs, () => successful(`H:${onHttpFs.root}`, lasting, true));
    }
    expect(tree.renamed > 0).toBe(isBySnapshots);
  },
  rounds * 5 * MINUTE,
);
