import { expect, it } from 'vitest';
import { FileAttributes } from '../../../../shared/copy/file-attributes.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { attributesOf } from '../../../../shared/preserve/attributes.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { status } from '../../../support/statuses.ts';

it('tells of a skipped file nothing that was lost by a try before', async () => {
  const error = new StorageError('invalid', 'block size', 'too small', { operation: 'CREATE', path: '/out/file' });
  const hadoop: Partial<NonNullable<Storage['hadoop']>> = {
    takenLayout: () => ({
      blockBytes: undefined,
      replication: undefined,
      refused: [{ attribute: 'blocksize', error }],
    }),
  };
  const cluster = decorated(new LocalDisk(65_536), { hadoop: hadoop as NonNullable<Storage['hadoop']> });
  const route = { source: cluster, sourcePath: '/in/file', destination: cluster, destinationPath: '/out/file' };
  const { options } = parseJobSpec({ source: 'a:/in', destination: 'b:/out', options: { attributes: ['blocksize'] } });
  const about = { root: 0, path: 'file', lengthBytes: 1, modifiedAtMs: 0, blockBytes: 512 };
  const unit: FileUnit = { kind: 'file', ...about, decision: 'copy', attributes: attributesOf(status()) };
  const attributes = new FileAttributes(route, options, silentLog);
  await attributes.creation(unit, never);
  expect(attributes.told().warnings).toEqual(['blocksize']);
  expect(await attributes.update(unit, undefined, never)).toEqual({});
});
