import { describe, expect, inject, it } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const MIB = 1024 * 1024;
/** Three blocks at the destination, whose own are of 4 MiB. */
const LENGTH = 9 * MIB + 100;

/**
 * One bit is another one behind the source, or before the destination. Where both clusters keep the checksum in one layout their two are
 * compared; where blocks have other sizes the bytes are digested on their way.
 */
const layouts = [
  { what: 'blocks of one size', blocks: { blocksize: String(4 * MIB) } },
  { what: 'blocks of two sizes', blocks: { blocksize: String(MIB) } },
] as const;
const ways = [
  { side: 'A', operation: 'OPEN' },
  { side: 'B', operation: 'CREATE' },
] as const;

describe.each(layouts)('a bit that changes on the way, $what', ({ what, blocks }) => {
  it.each(ways.flatMap((way) => [1, Infinity].map((times) => ({ ...way, times }))))(
    'in $operation, $times times',
    async ({ side, operation, times }) => {
      const name = `flip-${operation}-${times}-${what.replaceAll(' ', '-')}`;
      const pair = await TwoClusters.make(bed, name);
      // The first file shows which checksums the clusters keep.
      await pair.a.put(`${pair.root}/in/first`, 'first', blocks);
      await pair.a.put(`${pair.root}/in/second`, content(name, LENGTH), blocks);
      let seen = 0;
      let flips = 0;
      await using faultProxy = await FaultProxy.start(side === 'A' ? bed.a : bed.b, {
        datanodes: true,
        react: (request) => {
          if (request.operation === operation && request.to === 'datanode') seen += 1;
          const isFlipped = request.operation === operation && request.to === 'datanode' && seen > 1 && flips < times;
          if (!isFlipped) return undefined;
          flips += 1;
          return 'flip';
        },
      });
      const conf = pair.conf({ [side]: { url: faultProxy.url } });
      const args = ['copy', '--silent', '--threads', '1', `A:${pair.root}/in`, `B:${pair.root}/out`];
      const { status, code } = await pair.run(args, { conf });
      const tree = await pair.b.tree(pair.root);
      expect(temporaryNames(tree)).toEqual([]);
      if (times === 1) {
        expect(flips).toBe(1);
        expect(code).toBe(0);
        expect(status.Verified).toMatchObject({ checksum: 2 });
        const original = await pair.a.tree(`${pair.root}/in`);
        expect(original['/second']).toContain(`${LENGTH} `);
        expect(await pair.b.tree(`${pair.root}/out`)).toEqual(original);
      } else {
        expect(flips).toBeLessThanOrEqual(3);
        expect(code).toBe(1);
        expect(Object.keys(await pair.b.tree(`${pair.root}/out`))).toEqual(['/first']);
        const { stdout } = await pair.run(['status', status.Job, '--failures']);
        expect(stdout).toMatch(/do not match the checksum of the source|is not that of the bytes written/);
      }
    },
  );
});
