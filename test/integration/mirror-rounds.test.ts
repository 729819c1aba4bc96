import { expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type End, MirrorRounds } from '../support/mirror-rounds.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/**
 * A tree of every kind is changed at random and mirrored, again and again. `ROUNDS` and `SEED` of the environment make it
 * longer and another one.
 */

const bed = inject('bed');
const rounds = Number(process.env['ROUNDS'] ?? 20);
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
const ways: readonly { name: string; flags: readonly string[]; repair: readonly string[] }[] = [
  { name: 'by a walk of both trees', flags: [], repair: [] },
];

test.each(ways)(
  `${rounds} rounds of random changes (seed ${seed}) are mirrored $name, and a run after each does nothing`,
  async ({ name, flags, repair }) => {
    const pair = await TwoClusters.make(bed, `rounds ${name}`);
    const source: End = { hdfs: pair.a, root: `${pair.root}/source` };
    const onB: End = { hdfs: pair.b, root: `${pair.root}/mirror` };
    const onHttpFs: End = { hdfs: pair.a, root: `${pair.root}/by HttpFS` };
    const tree = new MirrorRounds(seed, source, onB, onHttpFs);
    const conf = pair.conf({ H: { url: bed.httpFs } });
    const copy = (to: string, more: readonly string[], by = conf) => {
      tree.note(`copy to ${to} with ${more.join(' ')}`);
      return pair.run(['copy', '--silent', '--exact', ...flags, ...more, `A:${source.root}`, to], { conf: by });
    };
    const successful = async (to: string, more: readonly string[]) => {
      const { code, stderr, status } = await copy(to, more);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return status;
    };
    /** A job of which a file fails: it deletes nothing. */
    const failing = async (more: readonly string[]) => {
      let creates = 0;
      await using proxy = await FaultProxy.start(bed.b, {
        react: ({ operation }) =>
          operation === 'CREATE' && creates++ === 0 ? { answer: { status: 403, body: denied } } : undefined,
      });
      const { code, status } = await copy(`B:${onB.root}`, more, pair.conf({ B: { url: proxy.url } }));
      if (creates === 0) return;
      expect({ code, status }).toMatchObject({ code: 1, status: { 'Files Failed': 1, 'Files Deleted': 0 } });
    };

    await tree.begin();
    for (let round = 0; round < rounds; round++) {
      const isNamed = round % 2 === 1;
      const attributes = isNamed ? named : ['-fp'];
      const usual = [...attributes, ...deleting];
      tree.note(`round ${round}`);
      if (round > 0) await tree.mutate(undefined, isNamed);
      if (round % 5 === 2) {
        await failing(usual);
        await tree.mutate(undefined, isNamed);
      }
      if (round % 5 === 3) {
        await successful(`B:${onB.root}`, [
          ...usual,
          '--exclude',
          tree.random.of(['a', 'b*', '*.*', '* *']),
          '--max-size',
          '1M',
        ]);
        await tree.mutate(undefined, isNamed);
      }
      const byHand = round % 5 === 4;
      if (byHand) await tree.meddle(onB, isNamed);
      const again = [...usual, ...(byHand ? repair : [])];
      await tree.mirror(onB, () => successful(`B:${onB.root}`, again));
      await tree.mirrorAgain(onB, () => successful(`B:${onB.root}`, usual));
      if (round % 4 !== 3) continue;
      const lasting = [...named, ...deleting, '--skip-trash'];
      await tree.mirror(onHttpFs, () => successful(`H:${onHttpFs.root}`, lasting));
      await tree.mirrorAgain(onHttpFs, () => successful(`H:${onHttpFs.root}`, lasting));
    }
  },
  rounds * MINUTE,
);
