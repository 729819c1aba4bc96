import { beforeEach, describe, expect, it } from 'vitest';
import { DynamoJobStore } from '../../../../shared/aws/dynamo-job-store.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import { silentLog } from '../../../../shared/log.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { errorOf, never } from '../../../support/files.ts';
import { GeneratedJob } from '../../../support/generated-job.ts';
import { GeneratedTable } from '../../../support/generated-table.ts';
import { noSplits } from '../../../support/no-splits.ts';

let generated: GeneratedJob;
let store: DynamoJobStore;
let id: string;
beforeEach(() => {
  generated = new GeneratedJob(300, 8, false);
  store = new DynamoJobStore(new GeneratedTable(generated).client, 'table', { retentionDays: 7 });
  ({ id } = generated.job);
});

const ending = { phase: 'done', outcome: 'Successful', error: undefined, endedAtMs: 7 } as const;
const closing = { outcome: 'Failed', error: 'stopped', endedAtMs: 5 } as const;

describe('a job that is closed while it is being finished', () => {
  it('keeps the end that the closing gave it', async () => {
    let names = 0;
    const destination = decorated(new LocalDisk(65_536), {
      delete: async () => {
        if (++names !== 3) return false;
        await store.closing.begin(id);
        await store.endClosing(id, closing);
        return false;
      },
    });
    const { job, manifests } = generated;
    const means = { store, deaths: store, manifests, source: destination, destination, owner: 'finisher', ...noSplits };
    const rest = { log: silentLog, signal: never, isOver: () => false };
    const error = await errorOf(finish({ job, ...means, ...rest }));
    expect(error).toMatchObject({ name: 'JobClosedError' });
    expect(await store.get(id)).toMatchObject({ ...closing, phase: 'finishing' });
  });

  it('takes neither a cursor nor an end from the finish', async () => {
    await store.update(id, { phase: 'finishing' });
    await store.keepFinishCursor(id, { phase: 'sweep' });
    await store.closing.begin(id);
    for (const late of [store.keepFinishCursor(id, { phase: 'status' }), store.endFinish(id, ending)]) {
      expect(await errorOf(late)).toMatchObject({ name: 'JobClosedError' });
    }
    expect(await store.finishCursor(id)).toEqual({ phase: 'sweep' });
    expect((await store.get(id))?.outcome).toBeUndefined();
  });

  it('takes no end from a closing once it was taken up again', async () => {
    await store.closing.begin(id);
    await store.closing.reopen(id);
    expect(await errorOf(store.endClosing(id, closing))).toMatchObject({ name: 'JobClosedError' });
    expect((await store.get(id))?.outcome).toBeUndefined();
  });
});

it('ends a job with one write, also when the answer was lost and the write comes again', async () => {
  await store.update(id, { phase: 'finishing' });
  await store.keepFinishCursor(id, { phase: 'status' });
  await store.endFinish(id, ending);
  expect(await store.get(id)).toMatchObject({ phase: 'done', outcome: 'Successful' });
  expect(await store.finishCursor(id)).toBeUndefined();
  await store.endFinish(id, ending);
  expect(await errorOf(store.endFinish(id, { ...ending, endedAtMs: 8 }))).toMatchObject({ name: 'JobClosedError' });
});
