import { expect, it } from 'vitest';
import { bytesText } from '../../../shared/bytes.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KiB'],
  [999.96 * 1024, '1.0 MiB'],
  [1024 * 1024, '1.0 MiB'],
  [1.5 * 1024 ** 4, '1.5 TiB'],
  [5000 * 1024 ** 6, '5000.0 EiB'],
  [-48, '-48 B'],
  [-1.5 * 1024 ** 4, '-1.5 TiB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
