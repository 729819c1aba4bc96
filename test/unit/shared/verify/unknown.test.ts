import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { Comparisons } from '../../../../shared/verify/comparisons.ts';
import type { Finding } from '../../../../shared/verify/finding.ts';
import { Tally } from '../../../../shared/verify/tally.ts';
import { verifyTrees } from '../../../../shared/verify/verify-trees.ts';
import { never } from '../../../support/files.ts';

const disk = new LocalDisk(65_536);
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-unknown-'));
  for (const side of ['source', 'destination']) {
    mkdirSync(join(top, side, 'd'), { recursive: true });
    writeFileSync(join(top, side, 'd/x'), 'x');
  }
});
afterEach(() => rmSync(top, { recursive: true }));

const denied = (path: string) =>
  new StorageError('denied', 'AccessControlException', 'Permission denied', { operation: 'OPEN', path });

/** A disk of which some cannot be read, and that has attributes of which some cannot be told. */
function refusing(own: Partial<Storage>, refuses: (path: string) => boolean = () => false): Storage {
  const xattrs = (path: string) => (refuses(path) ? Promise.reject(denied(path)) : Promise.resolve(new Map()));
  return decorated(disk, { ...own, hadoop: { xattrs } as unknown as NonNullable<Storage['hadoop']> });
}

const unlisted: Partial<Storage> = {
  async *list(path, signal, after) {
    if (path.endsWith('/d')) throw denied(path);
    yield* disk.list(path, signal, after);
  },
};

async function verified(source: Storage, attributes: string[] = ['xattr']) {
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  const asked = { source: `local:${from}`, destination: `local:${to}`, options: { mapping: 'exact', attributes } };
  const { options } = parseJobSpec(asked);
  using comparisons = new Comparisons({ first: 2, most: 2, isAuto: false }, [], silentLog, never);
  const findings: Finding[] = [];
  const { unknown, equal } = await verifyTrees({
    ...{ source, destination: refusing({}), roots: [{ source: from, destination: to }], options },
    ...{ level: 'checksum', oneWay: false, comparisons, tally: new Tally(), signal: never },
    onFinding: (finding) => void findings.push(finding),
  });
  return { unknown, findings: findings.map(({ source: path }) => path.slice(from.length)), equal };
}

describe('what cannot be told of a path', () => {
  it('is one unknown for a file that is neither read nor asked for its attributes', async () => {
    const source = refusing({ read: (path) => Promise.reject(denied(path)) }, (path) => path.endsWith('/x'));
    expect(await verified(source)).toMatchObject({ unknown: 1, findings: ['/d/x'], equal: { files: 0 } });
  });

  it('is one unknown for a directory that is neither listed nor asked for its attributes', async () => {
    const source = refusing(unlisted, (path) => path.endsWith('/d'));
    expect(await verified(source)).toMatchObject({ unknown: 1, findings: ['/d'], equal: { directories: 1 } });
  });

  it.each([[['xattr']], [['permission']]])('is no equal directory that was not listed, with %j', async (attributes) => {
    const result = await verified(refusing(unlisted), attributes);
    expect(result).toMatchObject({ unknown: 1, findings: ['/d'], equal: { directories: 1, files: 0 } });
  });

  it('is nothing where all is alike', async () => {
    expect(await verified(refusing({}))).toEqual({
      unknown: 0,
      findings: [],
      equal: { directories: 2, files: 1, bytes: 1 },
    });
  });
});
