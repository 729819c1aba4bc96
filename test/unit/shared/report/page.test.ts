import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { page } from '../../../../shared/report/page.ts';
import { newJob } from '../../../support/outcomes.ts';
import { fileLine, reportOf } from '../../../support/reported-job.ts';

const hostile = `<script>alert(1)</script>"'&<img src=x onerror=alert(1)>\u202egpj`;

describe('the page of a report', () => {
  it('shows whatever comes from elsewhere as text', async () => {
    const text = page(
      await reportOf({
        job: {
          outcome: 'Failed',
          error: hostile,
          startedBy: hostile,
          notDeleted: hostile,
          roots: [{ source: `/in/${hostile}`, destination: `/out/${hostile}`, kind: 'directory' }],
          directoryLosses: [hostile],
        },
        counters: { 'files.copied': 1, [`skipped.${hostile}`]: 1, [`warnings.${hostile}`]: 1, [`kept.${hostile}`]: 1 },
        lines: [
          fileLine({ path: hostile, hosts: [hostile] }),
          fileLine({ outcome: 'deleted', path: hostile, trash: `/user/x/.Trash/Current/${hostile}` }),
        ],
        failures: [{ path: hostile, reason: hostile, host: hostile }],
      }),
    );
    expect(text).not.toMatch(/<script|<img|\u202e/);
    expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThanOrEqual(12);
    expect(text).toContain('\\u202egpj');
  });

  it('loads nothing, and its policy allows its own style and nothing else', async () => {
    const text = page(await reportOf({ lines: [fileLine()] }));
    const [, css = ''] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? [];
    const digest = createHash('sha256').update(css).digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
    expect(text.includes(`content="${policy.replaceAll("'", '&#39;')}"`)).toBe(true);
    expect(text).not.toMatch(/https?:|\bsrc=|\bhref=|url\(|@import|\bon\w+="|style="|<script/);
  });

  it('of a job without lines says why there are no charts', async () => {
    const counters = { 'files.copied': 3 };
    expect(page(await reportOf({ counters }))).toContain('an earlier version of hdfs-fanout ran it');
    expect(page(await reportOf({}))).toContain('no file was copied');
    const some = page(await reportOf({ counters, lines: [fileLine()] }));
    expect(some).toContain('Charts and lists lack 2 files');
  });

  it.each(['Successful', 'Failed', 'Interrupted'] as const)(
    'of a job that was %s is whole, without a value that is none',
    async (outcome) => {
      const text = page(await reportOf({ job: { outcome }, lines: [fileLine({ bytes: 0, tookMs: 0 })] }));
      expect(text).toContain(`${outcome}</span>`);
      expect(text).not.toMatch(/undefined|NaN|Infinity|\[object/);
    },
  );

  it('of a job that was undone says so, and gives no command that goes on with it', async () => {
    const failures = [{ reason: 'denied' }];
    const failed = { outcome: 'Failed' } as const;
    expect(page(await reportOf({ job: failed, failures }))).toContain('copy --resume');
    const undone = page(await reportOf({ job: { ...failed, undone: { atMs: 1, isWhole: false } }, failures }));
    expect(undone).toContain('taken back in part');
    expect(undone).not.toContain('copy --resume');
  });

  it('of a plan that waits tells what is planned', async () => {
    const job = { outcome: undefined, endedAtMs: undefined, phase: 'planned', expectedFiles: 3 } as const;
    expect(page(await reportOf({ job }))).toContain('3 files, 0 B, planned; none is copied yet.');
  });

  it('says where a deleted entry is only as far as that is known', async () => {
    const lines = [fileLine({ outcome: 'deleted' })];
    const { spec } = newJob();
    const skipTrash = { ...spec, options: { ...spec.options, skipTrash: true } };
    expect(page(await reportOf({ job: { spec: skipTrash }, lines }))).toContain('for good');
    expect(page(await reportOf({ lines }))).not.toContain('for good');
  });

  it('shows what a job is said to cost', async () => {
    const report = await reportOf({});
    const text = page({ ...report, cost: { Cost: { Lambda: '$0.12' }, 'Cost Total': 0.5 } });
    expect(text).toContain('$0.12');
    expect(text).toContain('Cost Total');
  });
});
