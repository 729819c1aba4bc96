import { expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');

test('a temporary file whose deletion failed is gone at the end of the job, though its file was copied by a later try', async () => {
  const pair = await TwoClusters.make(bed, 'leftover');
  for (let i = 0; i < 4; i++) await pair.a.put(`/leftover/tree/f${i}`, content(`${i}`, 300_000));
  let cut = false;
  let hung = '';
  await using faultProxy = await FaultProxy.start(bed.b, {
    datanodes: true,
    react: ({ operation, to, path }) => {
      // The file is written, and the answer is lost.
      if (operation === 'CREATE' && to === 'datanode' && !cut) {
        cut = true;
        return 'cut-after';
      }
      if (operation === 'DELETE' && hung === '') {
        hung = path;
        return 'hang';
      }
      return undefined;
    },
  });
  const conf = pair.conf({ B: { url: faultProxy.url } });
  const { code, stderr, status } = await pair.run(['copy', '--silent', 'A:/leftover/tree', 'B:/leftover/copy'], {
    conf,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(hung).toMatch(/_hdfs-fanout\./);
  expect(status).toMatchObject({ 'Files Copied': 4, Retries: 1 });
  expect(await pair.b.tree('/leftover/copy')).toEqual(await pair.a.tree('/leftover/tree'));
});
