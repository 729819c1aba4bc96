import { describe, expect, it } from 'vitest';
import { parseRate } from '../../../../shared/limits/rate.ts';
import { faultInTimetable, Timetable } from '../../../../shared/limits/timetable.ts';

const MIB = 1024 * 1024;

describe('parseRate', () => {
  it.each([
    ['50M', 50 * MIB],
    ['50MiB', 50 * MIB],
    ['50mi', 50 * MIB],
    ['1.5G', 1.5 * 1024 * MIB],
    ['100k', 102_400],
    ['2T', 2 * MIB * MIB],
    ['200000', 200_000],
    ['512B', 512],
    ['off', 'off'],
    ['OFF', 'off'],
  ])('%s is %d bytes a second', (text, expected) => {
    expect(parseRate(text)).toBe(expected);
  });

  it.each([
    ['0', 'off means no limit'],
    ['0M', 'off means no limit'],
    ['0.0001', 'off means no limit'],
    ['50MB', 'write M or MiB'],
    ['-5M', 'is no rate'],
    ['fast', 'is no rate'],
    ['5 M', 'is no rate'],
    ['1e6', 'is no rate'],
    ['', 'is no rate'],
    ['50M/s', 'is no rate'],
  ])('%s is refused: %s', (text, expected) => {
    expect(() => parseRate(text)).toThrow(expected);
  });
});

/** The rates at these times, each ISO 8601 with its offset. */
const rates = (text: string, ...times: string[]) => {
  const timetable = new Timetable(text);
  return times.map((time) => timetable.rateAt(Date.parse(time)));
};

describe('a timetable', () => {
  it('may be one rate for ever', () => {
    expect(rates('10M', '2026-01-01T00:00Z', '2026-07-01T12:00Z')).toEqual([10 * MIB, 10 * MIB]);
    expect(rates('off', '2026-01-01T00:00Z')).toEqual(['off']);
  });

  it('changes at its minutes, and the last entry holds over midnight', () => {
    const text = '08:00,50M 19:00,off UTC';
    expect(
      rates(text, '2026-03-02T07:59:59Z', '2026-03-02T08:00:00Z', '2026-03-02T18:59:59.999Z', '2026-03-02T19:00Z'),
    ).toEqual(['off', 50 * MIB, 50 * MIB, 'off']);
    expect(rates(text, '2026-03-03T00:00Z')).toEqual(['off']);
  });

  it('need not be in order', () => {
    expect(rates('19:00,off UTC 08:00,1M', '2026-03-02T12:00Z', '2026-03-02T20:00Z')).toEqual([MIB, 'off']);
  });

  it('reads the clock of its zone', () => {
    const text = '08:00,50M 19:00,off Asia/Kolkata';
    expect(rates(text, '2026-03-02T02:29Z', '2026-03-02T02:30Z', '2026-03-02T13:30Z')).toEqual([
      'off',
      50 * MIB,
      'off',
    ]);
  });

  it('reads the clock of this machine where no zone is named', () => {
    const nine = new Date(2026, 2, 2, 9, 0).toISOString();
    const seven = new Date(2026, 2, 2, 7, 0).toISOString();
    expect(rates('08:00,50M 19:00,off', seven, nine)).toEqual(['off', 50 * MIB]);
  });

  it('follows the clock when summer begins: an entry of the hour that is left out holds from its end', () => {
    // In Berlin 02:00 became 03:00 at 01:00 UTC on 29 March 2026.
    const text = '02:30,1M 08:00,off Europe/Berlin';
    expect(rates(text, '2026-03-29T00:59Z', '2026-03-29T01:00Z', '2026-03-29T05:59Z', '2026-03-29T06:00Z')).toEqual([
      'off',
      MIB,
      MIB,
      'off',
    ]);
    // The day before, an hour later in UTC.
    expect(rates(text, '2026-03-28T01:29Z', '2026-03-28T01:30Z', '2026-03-28T07:00Z')).toEqual(['off', MIB, 'off']);
  });

  it('follows the clock when summer ends: the hour that comes twice has its entries twice', () => {
    // In Berlin 03:00 became 02:00 at 01:00 UTC on 25 October 2026.
    const text = '02:30,1M 08:00,off Europe/Berlin';
    expect(rates(text, '2026-10-25T00:29Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z')).toEqual([
      'off',
      MIB,
      'off',
      MIB,
    ]);
  });

  it('may name days, and the last of them holds over the week’s end', () => {
    const text = 'Mon-08:00,1M Fri-19:00,off UTC';
    // 6 March 2026 is a Friday.
    expect(
      rates(
        text,
        '2026-03-06T18:59Z',
        '2026-03-06T19:00Z',
        '2026-03-08T12:00Z',
        '2026-03-09T07:59Z',
        '2026-03-09T08:00Z',
      ),
    ).toEqual([MIB, 'off', 'off', 'off', MIB]);
    expect(rates('12:00,1M Sun-12:30,2M UTC', '2026-03-08T12:15Z', '2026-03-08T13:00Z', '2026-03-09T12:00Z')).toEqual([
      MIB,
      2 * MIB,
      MIB,
    ]);
  });

  it.each([
    ['', 'expected a rate such as 50M'],
    ['   ', 'expected a rate such as 50M'],
    ['0', 'off means no limit'],
    ['08:00,0', 'off means no limit'],
    ['08:00', 'is no rate'],
    ['8:00,50M', 'is not HH:MM,RATE'],
    ['24:00,50M', 'from 00:00 to 23:59'],
    ['08:60,50M', 'from 00:00 to 23:59'],
    ['08:00,50M,60M', 'is not HH:MM,RATE'],
    ['08:00, 50M', '"50M" is neither HH:MM,RATE nor a time zone'],
    ['08:00,50M 19:00', '"19:00" is neither HH:MM,RATE nor a time zone'],
    ['08:00,50M 08:00,60M', 'another entry has this time'],
    ['08:00,50M Mon-08:00,60M', 'another entry has this time'],
    ['Mun-08:00,50M', '"Mun" is none of Sun, Mon'],
    ['08:00,50M Europe/Berlyn', 'neither HH:MM,RATE nor a time zone such as Europe/Berlin'],
    ['08:00,50M UTC Europe/Berlin', 'neither HH:MM,RATE nor the only time zone'],
    ['Europe/Berlin', 'is no rate'],
    ['UTC Europe/Berlin', 'neither HH:MM,RATE nor the only time zone'],
    ['10M UTC', 'neither HH:MM,RATE nor the only time zone'],
  ])('%j is refused in words: %s', (text, expected) => {
    expect(faultInTimetable(text)).toContain(expected);
  });

  it.each(['50M', 'off', '08:00,50M 19:00,off', 'mon-08:00,1M'])('%s has no fault', (text) => {
    expect(faultInTimetable(text)).toBeUndefined();
  });

  it.each([
    ['50M', true],
    ['08:00,50M UTC', true],
    ['08:00,50M', false],
  ])('%s means the same everywhere: %s', (text, expected) => {
    expect(new Timetable(text).isZoned).toBe(expected);
  });
});
