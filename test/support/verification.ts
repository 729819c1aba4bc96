import type { Finding } from '../../shared/verify/finding.ts';
import type { Summary } from '../../shared/job/verification.ts';

/** What `verify --json` printed, or wrote as a report: findings in the order of their paths, and the summary. */
export function reportIn(text: string): { findings: Finding[]; summary: Summary } {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Finding | ({ readonly type: 'summary' } & Summary));
  const findings = lines.filter((line) => line.type !== 'summary');
  const [summary, ...others] = lines.filter((line) => line.type === 'summary');
  if (!summary || others.length > 0) throw new Error(`not one summary in: ${text}`);
  return { findings: findings.sort((a, b) => (a.source < b.source ? -1 : 1)), summary };
}
