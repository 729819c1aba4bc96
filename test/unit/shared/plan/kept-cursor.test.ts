import { expect, it } from 'vitest';
import { cursorIn, keptCursor } from '../../../../shared/plan/kept-cursor.ts';
import type { PlanCursor } from '../../../../shared/plan/planning.ts';

const packer = { held: [], units: [], packedCost: 1, next: 3 };
const cursor: PlanCursor = {
  root: 1,
  walk: { open: [{ name: 'd', after: 'f' }] },
  names: 0,
  tally: {},
  splitting: { next: 0, split: {}, notSplit: {} },
  packer,
  files: 2,
  bytes: 2,
};
const plan = { cursor, typeChanges: 3 };

it('is read as it was kept', () => {
  expect(cursorIn(JSON.parse(JSON.stringify(keptCursor(plan))))).toMatchObject(plan);
});

it.each([
  [
    'the first version',
    { root: 0, walk: { open: [{ directory: { path: '' }, after: 'a' }] }, flattened: [], files: 2 },
  ],
  ['another version', { ...keptCursor(plan), version: 1000 }],
  ['nobody', undefined],
])('is none where %s kept it', (_, kept) => {
  expect(cursorIn(kept)).toBeUndefined();
});
