import { describe, expect, it } from 'vitest';
import { listedPath, listLines } from '../../../../shared/plan/list-lines.ts';

async function linesOf(...chunks: (string | Uint8Array)[]) {
  async function* read() {
    await Promise.resolve();
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const texts: string[] = [];
  for await (const { text } of listLines(read())) texts.push(text);
  return texts;
}

describe('the lines of a list', () => {
  it.each<[string, string[], string[]]>([
    ['as they come', ['a\nb\n'], ['a', 'b']],
    ['without a last newline', ['a\nb'], ['a', 'b']],
    ['of Windows', ['a\r\nb\r\n'], ['a', 'b']],
    ['behind a byte order mark', ['\uFEFFa\n\uFEFFb'], ['a', '\uFEFFb']],
    ['without empty ones', ['\n\na\n\r\n\nb\n\n'], ['a', 'b']],
    ['with spaces, and nothing for a comment', [' a \n# b\n;c'], [' a ', '# b', ';c']],
    ['in pieces', ['a', 'b\nc', '\n', 'd'], ['ab', 'c', 'd']],
    ['of nothing', [''], []],
  ])('%s', async (_, chunks, expected) => {
    expect(await linesOf(...chunks)).toEqual(expected);
  });

  it('cut within a character', async () => {
    const bytes = Buffer.from('😀/é\n');
    expect(await linesOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(['😀/é']);
  });

  it.each([
    [`a\n${'x'.repeat(40_000)}\n`, 'line 2 of the list is longer than a path can be'],
    ['x'.repeat(1_000_000), 'line 1 of the list is longer than a path can be'],
    ['a\n\nb\0c\n', 'line 3 of the list holds a NUL character'],
  ])('refuse what is no list', async (text, message) => {
    await expect(linesOf(text)).rejects.toThrow(message);
  });
});

describe('a line', () => {
  it.each([
    ['a/b', '/in', 'a/b'],
    ['./a//b/', '/in', 'a/b'],
    ['/in/a', '/in', 'a'],
    ['/in//a/', '/in', 'a'],
    ['/a', '/', 'a'],
    ['-rf', '/in', '-rf'],
    ['100%25', '/in', '100%25'],
    ['...', '/in', '...'],
  ])('%j below %s is %s', (text, root, path) => {
    expect(listedPath({ text, number: 1 }, root)).toBe(path);
  });

  it.each([
    ['../a', 'holds ..: ../a'],
    ['a/../b', 'holds ..: a/../b'],
    ['/other/a', 'does not lie in the source /in: /other/a'],
    ['/input', 'does not lie in the source /in: /input'],
    ['.', 'is the source itself: .'],
    ['/in/', 'is the source itself: /in/'],
  ])('%j is refused with its number: %s', (text, message) => {
    expect(() => listedPath({ text, number: 17 }, '/in')).toThrow(`line 17 of the list ${message} (nothing was copied`);
  });
});
