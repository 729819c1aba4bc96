import { expect, it } from 'vitest';
import { faultInMoment, momentOf } from '../../../../shared/job/moment.ts';

const nowMs = Date.UTC(2026, 10, 27, 18);

it.each([
  ['7d', '2026-11-20T18:00:00.000Z'],
  ['90m', '2026-11-27T16:30:00.000Z'],
  ['12h', '2026-11-27T06:00:00.000Z'],
  ['30s', '2026-11-27T17:59:30.000Z'],
  ['2w', '2026-11-13T18:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2024-01-31T18:00', '2024-01-31T18:00:00.000Z'],
  ['2024-01-31 18:00:01', '2024-01-31T18:00:01.000Z'],
  ['2024-01-31T18:00:01.5Z', '2024-01-31T18:00:01.500Z'],
  ['2024-01-31T18:00+01:00', '2024-01-31T17:00:00.000Z'],
  ['900000d', '0000-01-01T00:00:00.000Z'],
  ['999999999w', '0000-01-01T00:00:00.000Z'],
  ['0000-01-01T00:00+14:00', '0000-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59-14:00', '9999-12-31T23:59:59.999Z'],
])('%s is %s, in any time zone, and a kept job says it again', (text, iso) => {
  expect(new Date(momentOf(text, nowMs)).toISOString()).toBe(iso);
  expect(new Date(momentOf(iso, 0)).toISOString()).toBe(iso);
  expect(faultInMoment(text)).toBeUndefined();
});

it.each([
  '',
  '7',
  'd',
  '-7d',
  '7 d',
  '7y',
  'yesterday',
  '2024-13-01',
  '2024-02-30',
  '2024-1-1',
  '31.01.2024',
  '2024-01-31T25:00',
])('%j is no time', (text) => {
  expect(faultInMoment(text)).toBe(`"${text}" is no time (write 7d, 2024-01-31 or 2024-01-31T18:00Z)`);
});
