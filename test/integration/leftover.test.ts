import { expect, inject, test } from 'vitest';
import { Front } from '../support/front.ts';
import { content } from '../support/odd-tree.ts';
import { Scene } from '../support/scene.ts';

const bed = inject('bed');

test('a temporary file whose deletion failed is gone at the end of the job, though its file was copied by a later try', async () => {
  const scene = await Scene.make(bed, 'leftover');
  for (let i = 0; i < 4; i++) await scene.a.put(`/leftover/tree/f${i}`, content(`${i}`, 300_000));
  let cut = false;
  let hung = '';
  await using front = await Front.start(bed.b, {
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
  const conf = scene.conf({ B: { url: front.url } });
  const { code, stderr, status } = await scene.run(['copy', '--silent', 'A:/leftover/tree', 'B:/leftover/copy'], {
    conf,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(hung).toMatch(/_hdfs-fanout\./);
  expect(status).toMatchObject({ 'Files Copied': 4, Retries: 1 });
  expect(await scene.b.tree('/leftover/copy')).toEqual(await scene.a.tree('/leftover/tree'));
});
