import { describe, expect, it } from 'vitest';
import { faultInPairPath, pairOfLine, pathOfPair } from '../../../../shared/job/pair.ts';

describe('a line of pairs', () => {
  it.each([
    ['/a,/b', '/a', '/b'],
    ['"/a,1","/b ""2"""', '/a,1', '/b "2"'],
    ['hdfs://nn:8020/a,hdfs://other/b', 'hdfs://nn:8020/a', 'hdfs://other/b'],
    [' /a , /b ', ' /a ', ' /b '],
  ])('%s', (line, source, destination) => {
    expect(pairOfLine(line)).toEqual({ source, destination });
  });

  it.each(['/a', '/a,/b,/c', '"/a,/b', '/a",/b', ',/b', '/a,', ''])('%j is none', (line) => {
    expect(pairOfLine(line)).toBeUndefined();
  });
});

describe('a path in a pair', () => {
  it.each([
    ['/a//b/', '/a/b'],
    ['hdfs://nn1:8020/a', '/a'],
    ['hdfs:/a', '/a'],
    ['viewfs://cluster/a/./b', '/a/b'],
    ['/hdfs:/a', '/hdfs:/a'],
  ])('%s is %s', (text, path) => {
    expect(faultInPairPath(text)).toBeUndefined();
    expect(pathOfPair(text)).toBe(path);
  });

  it.each([
    ['a/b', 'is not absolute'],
    ['s3a://bucket/a', 'is not absolute'],
    ['hdfs://nn1', 'is not absolute'],
    ['/a/../b', 'holds ..'],
  ])('%s is refused: %s', (text, fault) => {
    expect(faultInPairPath(text)).toContain(fault);
  });
});
