import { expect, it } from 'vitest';
import { parseDuration } from '../../../../shared/limits/duration.ts';

it.each([
  ['180', 180_000],
  ['90s', 90_000],
  ['3m', 180_000],
  ['1.5H', 5_400_000],
  ['0.25', 250],
  ['0', 'off'],
  ['0m', 'off'],
  ['OFF', 'off'],
])('%s is %s', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

it.each([
  ['', '"" is no duration: expected seconds, 90s, 3m, 1h, or off'],
  ['-5', '"-5" is no duration'],
  ['3 m', '"3 m" is no duration'],
  ['3d', '"3d" is no duration'],
  ['25h', '"25h" is longer than a day: off means without end'],
])('"%s" is refused in words', (text, expected) => {
  expect(() => parseDuration(text)).toThrow(expected);
});
