import { expect, it } from 'vitest';
import { requireShort } from '../../../cli/start.ts';
import { parseJobSpec } from '../../../shared/job/spec.ts';

const jobOf = (name: string, pairs: number) =>
  parseJobSpec({
    source: 'a:/',
    destination: 'b:/',
    options: { pairs: Array.from({ length: pairs }, (_, i) => ({ source: `/${name}`, destination: `/out/${i}` })) },
  });

it('a job is as long as its bytes, and leaves room for what is laid around it', () => {
  const latin = jobOf('x'.repeat(100), 1500);
  requireShort(latin);
  // As many characters, and three times the bytes.
  const chinese = jobOf('数'.repeat(100), 1500);
  expect(JSON.stringify(chinese)).toHaveLength(JSON.stringify(latin).length);
  expect(() => requireShort(chinese)).toThrow('bytes long, and Step Functions takes 260096');
});
