import { expect, it, vi } from 'vitest';
import { Once } from '../../../shared/once.ts';

it('asks once for each key, also for many at the same time', async () => {
  const once = new Once<string>();
  const ask = vi.fn((key: string) => Promise.resolve(`answer ${key}`));
  const of = (key: string) => once.of(key, () => ask(key));
  expect(await Promise.all([of('a'), of('a'), of('b')])).toEqual(['answer a', 'answer a', 'answer b']);
  expect(await of('a')).toBe('answer a');
  expect(ask.mock.calls).toEqual([['a'], ['b']]);
});

it('keeps no failure', async () => {
  const once = new Once<string>();
  await expect(once.of('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await once.of('a', () => Promise.resolve('up'))).toBe('up');
});

it('gives a newer answer to all who ask later, and the failure of an older one takes nothing away', async () => {
  const once = new Once<string>();
  let fail: (reason: Error) => void = () => undefined;
  const old = once.of('a', () => new Promise<string>((_, reject) => (fail = reject)));
  await once.replace('a', Promise.resolve('new'));
  fail(new Error('down'));
  await expect(old).rejects.toThrow('down');
  expect(await once.of('a', () => Promise.resolve('asked again'))).toBe('new');
});

it('forgets an answer only while it is the one that is kept', async () => {
  const once = new Once<string>();
  const first = once.of('a', () => Promise.resolve('first'));
  const second = once.replace('a', Promise.resolve('second'));
  once.forget('a', first);
  expect(once.known('a')).toBe(second);
  once.forget('a', second);
  expect(await once.of('a', () => Promise.resolve('third'))).toBe('third');
});

it('waits for answers and failures alike', async () => {
  const once = new Once<string>();
  const ended: string[] = [];
  void once.of('a', () => Promise.resolve('up').finally(() => ended.push('a')));
  once.of('b', () => Promise.reject<string>(new Error('down')).finally(() => ended.push('b'))).catch(() => undefined);
  await once.settled();
  expect(ended.sort()).toEqual(['a', 'b']);
});
