import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowText } from '../../../cli/doctor-table.ts';
import { checkNames, type Row, rowStates } from '../../../shared/doctor/row.ts';

const row: Row = { name: 'name', target: 'nn1:9870', state: 'ok', found: '10.0.0.1' };

describe('rowText', () => {
  it('puts what fits on one line', () => {
    expect(rowText(row)).toBe('ok      name           nn1:9870              10.0.0.1\n');
  });

  it('puts what does not fit, and the remedy, below', () => {
    const found = 'its TLS certificate comes from an authority that is not trusted: Prod CA';
    const remedy = 'name the PEM file of this authority as truststore in the cluster’s definition';
    expect(rowText({ ...row, name: 'TLS', state: 'failed', found, remedy })).toBe(
      [
        'failed  TLS            nn1:9870',
        '          its TLS certificate comes from an authority that is not trusted: Prod',
        '          CA',
        '          → name the PEM file of this authority as truststore in the cluster’s',
        '          definition',
        '',
      ].join('\n'),
    );
  });

  it('never has more than 80 columns but for a long host, and loses nothing', () => {
    const words = fc.array(
      fc.string({ unit: 'grapheme-ascii', minLength: 1 }).map((word) => word.replaceAll(' ', '_')),
    );
    const rows = fc.record({
      name: fc.constantFrom(...checkNames),
      target: fc.stringMatching(/^[a-z.]{1,40}:\d{1,5}$/),
      state: fc.constantFrom(...rowStates),
      found: words.map((all) => all.join(' ')),
      remedy: words.map((all) => all.join(' ')),
    });
    fc.assert(
      fc.property(rows, (one) => {
        const text = rowText(one);
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
        const expected = `${one.state}${one.name}${one.target}${one.found}→${one.remedy}`;
        expect(text.replace(/\s/g, '')).toBe(expected.replace(/\s/g, ''));
      }),
    );
  });

  it('keeps control characters of a path on its line', () => {
    expect(rowText({ ...row, found: 'a\nb' })).toContain('a\\nb');
  });
});
