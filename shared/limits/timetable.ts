import { parseRate, type Rate } from './rate.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/** From a minute of the week on, counted from Sunday 00:00, this rate holds. */
interface Entry {
  readonly minute: number;
  readonly rate: Rate;
}

/**
 * Which rate holds when: one for ever (`50M`), or by the clock (`08:00,50M 19:00,off`), also by the day of the week
 * (`Mon-08:00,50M Fri-19:00,off`), in the time of this machine or of a zone that is named (`08:00,50M 19:00,off Europe/Berlin`).
 *
 * The clock on the wall decides: when it is put forward over an entry's time, that entry holds at once, and an hour that comes twice has
 * its entries twice.
 */
export class Timetable {
  readonly #always: Rate | undefined;
  /** In order; at least one where no rate holds for ever. */
  readonly #entries: readonly Entry[];
  readonly #clock: Intl.DateTimeFormat;
  readonly #hasZone: boolean;
  #known: { readonly minute: number; readonly rate: Rate } | undefined;

  /** @throws Error that says in words what is wrong */
  constructor(text: string) {
    const words = text.split(/\s+/).filter(Boolean);
    const [only = ''] = words;
    if (words.length === 0) throw new Error('expected a rate such as 50M, a timetable, or off');
    this.#always = words.length === 1 && !only.includes(',') ? parseRate(only) : undefined;
    const zones = this.#always === undefined ? words.filter((word) => !word.includes(',')) : [];
    if (zones.length > 1) throw new Error(`"${zones[1] ?? ''}" is neither HH:MM,RATE nor the only time zone`);
    this.#hasZone = zones.length === 1;
    this.#clock = clockOf(zones[0]);
    this.#entries = this.#always === undefined ? entriesOf(words.filter((word) => word.includes(','))) : [];
  }

  /** Whether it means the same time everywhere. */
  get isZoned(): boolean {
    return this.#always !== undefined || this.#hasZone;
  }

  /** The highest rate that ever holds. */
  get most(): Rate {
    const rates = this.#always === undefined ? this.#entries.map(({ rate }) => rate) : [this.#always];
    return rates.reduce<Rate>((most, rate) => (most === 'off' || rate === 'off' ? 'off' : Math.max(most, rate)), 0);
  }

  /** @param atMs  since the epoch */
  rateAt(atMs: number): Rate {
    if (this.#always !== undefined) return this.#always;
    const minute = Math.floor(atMs / MINUTE_MS);
    if (this.#known?.minute !== minute) this.#known = { minute, rate: this.#lookUp(atMs) };
    return this.#known.rate;
  }

  #lookUp(atMs: number): Rate {
    const parts = new Map(this.#clock.formatToParts(atMs).map(({ type, value }) => [type, value]));
    const day = DAYS.indexOf(parts.get('weekday') ?? '');
    const now = day * DAY_MINUTES + Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
    // Before the week's first entry its last one holds, from the week before.
    const current = this.#entries.findLast(({ minute }) => minute <= now) ?? this.#entries.at(-1);
    return current?.rate ?? 'off';
  }
}

/** What is wrong with a bandwidth, in words; undefined where nothing is. */
export function faultInTimetable(text: string): string | undefined {
  try {
    new Timetable(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function clockOf(timeZone: string | undefined): Intl.DateTimeFormat {
  const shown = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', timeZone === undefined ? shown : { ...shown, timeZone });
  } catch {
    throw new Error(`"${timeZone ?? ''}" is neither HH:MM,RATE nor a time zone such as Europe/Berlin`);
  }
}

function entriesOf(words: readonly string[]): Entry[] {
  if (words.length === 0) throw new Error('a timetable needs entries such as 08:00,50M');
  const entries: Entry[] = [];
  for (const word of words) {
    const [, day, hours = '', minutes = '', rate = ''] = /^(?:([a-z]{3})-)?(\d\d):(\d\d),([^,]+)$/i.exec(word) ?? [];
    if (rate === '' || Number(hours) > 23 || Number(minutes) > 59) {
      throw new Error(`"${word}" is not HH:MM,RATE, from 00:00 to 23:59, such as 08:00,50M or Mon-08:00,50M`);
    }
    const named = DAYS.findIndex((name) => name.toLowerCase() === day?.toLowerCase());
    if (day !== undefined && named < 0) throw new Error(`"${word}": "${day}" is none of ${DAYS.join(', ')}`);
    for (const number of day === undefined ? DAYS.keys() : [named]) {
      const minute = number * DAY_MINUTES + Number(hours) * 60 + Number(minutes);
      if (entries.some((entry) => entry.minute === minute)) throw new Error(`"${word}": another entry has this time`);
      entries.push({ minute, rate: parseRate(rate) });
    }
  }
  return entries.sort((a, b) => a.minute - b.minute);
}
