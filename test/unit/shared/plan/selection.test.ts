import { describe, expect, it } from 'vitest';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { hiding, selection } from '../../../../shared/plan/selection.ts';
import { status } from '../../../support/statuses.ts';

const specOf = (options: object) => parseJobSpec({ source: 'a:/in', destination: 'b:/out', options });
const chosen = (options: object) => selection(specOf(options).options, '/in');

describe('a selection', () => {
  it('hides nothing where nothing was chosen, and never the root', () => {
    const { hides, isOptional } = chosen({});
    expect([hides('a/b', 'file'), hides('a', 'directory'), isOptional('a')]).toEqual([undefined, undefined, false]);
    expect(chosen({ exclude: ['a'], include: ['b'] }).hides('', 'directory')).toBeUndefined();
  });

  it('excludes what is included as well', () => {
    const { hides, isOptional } = chosen({ include: ['*.csv'], exclude: ['_*'] });
    expect(hides('x/a.csv', 'file')).toBeUndefined();
    expect(hides('x/_a.csv', 'file')).toBe('exclude');
    expect(hides('x/_logs/a.csv', 'file')).toBe('exclude');
    expect(hides('x/a.txt', 'file')).toBe('include');
    expect(hides('x', 'directory')).toBeUndefined();
    expect(isOptional('x')).toBe(true);
  });

  it('hides directories in which nothing can be included', () => {
    const { hides } = chosen({ include: ['2024/**', '/top.csv'] });
    expect(hides('2024', 'directory')).toBeUndefined();
    expect(hides('2024/01', 'directory')).toBeUndefined();
    expect(hides('2025', 'directory')).toBe('include');
  });

  it('takes whatever lies in a directory that is included', () => {
    const { hides } = chosen({ include: ['*.parquet'] });
    expect(hides('out.parquet/part-0', 'file')).toBeUndefined();
    expect(hides('out.parquet/_SUCCESS', 'file')).toBeUndefined();
  });

  it.each([
    [{ minSize: 10 }, { lengthBytes: 9 }, 'min-size'],
    [{ minSize: 10 }, { lengthBytes: 10 }, undefined],
    [{ maxSize: 10 }, { lengthBytes: 10 }, undefined],
    [{ maxSize: 10 }, { lengthBytes: 11 }, 'max-size'],
    [{ maxSize: 0 }, { lengthBytes: 1 }, 'max-size'],
    [{ modifiedAfter: '1970-01-02' }, { modifiedAtMs: 86_399_999 }, 'modified-after'],
    [{ modifiedAfter: '1970-01-02' }, { modifiedAtMs: 86_400_000 }, undefined],
    [{ modifiedBefore: '1970-01-02' }, { modifiedAtMs: 86_399_999 }, undefined],
    [{ modifiedBefore: '1970-01-02' }, { modifiedAtMs: 86_400_000 }, 'modified-before'],
  ])('with %j, of a file with %j: %s', (options, fields, why) => {
    expect(chosen(options).leavesOut(status({ kind: 'file', ...fields }))).toBe(why);
  });

  it('tells a walk of directories that they are, and leaves them out by no length', () => {
    const hides = hiding(chosen({ exclude: ['tmp'], minSize: 10 }));
    const entry = (name: string, kind: 'file' | 'directory') =>
      ({ path: name, name, source: status({ name, kind, lengthBytes: 0 }), destination: undefined }) as const;
    expect(hides(entry('tmp', 'directory'))).toBe('exclude, directories');
    expect(hides(entry('tmp', 'file'))).toBe('exclude');
    expect(hides(entry('other', 'directory'))).toBeUndefined();
    expect(hides(entry('other', 'file'))).toBe('min-size');
  });

  it('holds the path at the destination too, and no length there', () => {
    const hides = hiding(chosen({ exclude: ['tmp'], minSize: 10 }));
    const there = (name: string) =>
      ({ path: name, name, source: undefined, destination: status({ name, kind: 'file', lengthBytes: 0 }) }) as const;
    expect(hides(there('tmp'))).toBe('exclude');
    expect(hides(there('other'))).toBeUndefined();
  });
});

describe('filters', () => {
  const entry = (path: string, kind: 'file' | 'directory') => {
    return { path, name: path, source: status({ kind }), destination: undefined } as const;
  };
  const filtered = chosen({ filters: ['.*/tmp(/a.*)?', '/in/top'] });

  it('hold expressions against the whole path at the source', () => {
    expect([filtered.hides('top', 'file'), filtered.hides('x/top', 'file')]).toEqual(['filters', undefined]);
    expect([filtered.hides('x/tmp/a1', 'file'), filtered.hides('x/tmp/b', 'file')]).toEqual(['filters', undefined]);
  });

  it('look into a directory that matches, which is made only if something is copied into it', () => {
    const hides = hiding(filtered);
    expect(hides(entry('x/tmp', 'directory'))).toBeUndefined();
    expect([filtered.isOptional('x/tmp'), filtered.isOptional('x')]).toEqual([true, false]);
  });

  it('protect a directory that only the destination has', () => {
    const there = { ...entry('x/tmp', 'directory'), source: undefined, destination: status({ kind: 'directory' }) };
    expect(hiding(filtered)(there)).toBe('filters, directories');
  });
});

describe('a job', () => {
  it('counts times back from its own start', () => {
    const { options } = newJob('job', specOf({ modifiedAfter: '7d', modifiedBefore: '2024-01-31' }), [], 0).spec;
    expect(options.modifiedAfter).toBe('1969-12-25T00:00:00.000Z');
    expect(options.modifiedBefore).toBe('2024-01-31T00:00:00.000Z');
  });

  it.each([
    [{ exclude: ['*'] }, 'leaves nothing to copy'],
    [{ exclude: ['x', '/**/'] }, 'leaves nothing to copy'],
    [{ exclude: ['a['] }, 'a [ is not closed'],
    [{ include: ['../x'] }, 'holds ..'],
    [{ filters: ['(a'] }, 'a ( that is not closed'],
    [{ filters: ['hdfs://nn1:8020/data/.*'] }, 'begins with a scheme'],
    [{ include: [''] }, 'options.include'],
    [{ modifiedAfter: 'yesterday' }, '"yesterday" is no time'],
    [{ compare: 'mtime' }, 'options.compare'],
  ])('with %j is refused: %s', (options, message) => {
    expect(() => specOf(options)).toThrow(message);
  });

  it('may leave out all directories', () => {
    const { hides } = chosen({ exclude: ['*/'] });
    expect([hides('a', 'directory'), hides('a', 'file')]).toEqual(['exclude', undefined]);
  });
});
