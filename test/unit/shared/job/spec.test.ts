import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { existingChoices } from '../../../../shared/job/existing.ts';
import { jobSpecSchema, paceOf, parseJobSpec } from '../../../../shared/job/spec.ts';

const minimal = { source: 'a:/in', destination: 'b:/out' };

describe('parseJobSpec', () => {
  it('fills in every default', () => {
    expect(parseJobSpec(minimal)).toEqual({
      source: ['a:/in'],
      destination: 'b:/out',
      options: {
        existing: 'fail',
        compare: 'checksum',
        mapping: 'cp',
        mkpath: false,
        preserve: false,
        attributes: [],
        strictPreserve: false,
        verify: 'checksum',
        openFiles: 'fail',
        live: false,
        direct: false,
        threads: 0,
        partSize: 65_536,
        bufferSize: 65_536,
        include: [],
        exclude: [],
        filters: [],
        filesFrom: 'off',
        pairs: [],
        includePattern: '*',
        minSize: 0,
        maxSize: 'off',
        modifiedAfter: 'off',
        modifiedBefore: 'off',
        filesOnly: false,
        splitAbove: 'auto',
        chunkSize: 2 ** 30,
        maxFailures: 1000,
        planOnly: false,
        bandwidth: 'off',
        namenodeOps: 'off',
        stallTimeout: 'auto',
        minRate: 'off',
        delete: false,
        deleteExcluded: false,
        backupDir: '',
        skipTrash: false,
        snapshot: false,
        repair: false,
        maxDelete: 'auto',
        trackMissing: '',
      },
    });
  });

  it('gives back what it gave before', () => {
    const spec = parseJobSpec({ ...minimal, source: ['a:/x', 'a:/y'], options: { force: true, threads: 7 } });
    expect(parseJobSpec(spec)).toEqual(spec);
  });

  it.each<[object, string]>([
    [{}, 'fail'],
    [{ force: false }, 'fail'],
    [{ checksum: true }, 'fail'],
    [{ checksum: false }, 'fail'],
    [{ force: true }, 'update'],
    [{ force: true, checksum: true }, 'update'],
    [{ force: true, checksum: false }, 'overwrite'],
    ...existingChoices.map((existing): [object, string] => [{ existing }, existing]),
  ])('takes %j for existing: %s', (options, existing) => {
    const parsed = parseJobSpec({ ...minimal, options });
    expect(parsed).toEqual({ ...parseJobSpec(minimal), options: { ...parseJobSpec(minimal).options, existing } });
  });

  it.each<[string, unknown, string]>([
    ['no source', { destination: 'b:/out' }, 'source: '],
    ['an empty list of sources', { ...minimal, source: [] }, 'source: '],
    ['an empty source', { ...minimal, source: '' }, 'source: '],
    ['no destination', { source: 'a:/in' }, 'destination: '],
    ['a destination that is a list', { ...minimal, destination: ['b:/out'] }, 'destination: '],
    ['a field that is not known', { ...minimal, sources: 'x' }, '"sources"'],
    ['an option that is not known', { ...minimal, options: { forse: true } }, 'options: Unrecognized key: "forse"'],
    ['a switch that is text', { ...minimal, options: { force: 'yes' } }, 'options.force: '],
    ['an existing that is not known', { ...minimal, options: { existing: 'replace' } }, 'options.existing: '],
    ...[{ force: true }, { force: false }, { checksum: true }, { checksum: false }].map(
      (old): [string, unknown, string] => [
        `existing beside ${JSON.stringify(old)}`,
        { ...minimal, options: { existing: 'update', ...old } },
        'options.existing: says all that force and checksum say',
      ],
    ),
    ['a mapping that is not known', { ...minimal, options: { mapping: 'rsync' } }, 'options.mapping: '],
    ['a verification that is not known', { ...minimal, options: { verify: 'md5' } }, 'options.verify: '],
    ['negative threads', { ...minimal, options: { threads: -1 } }, 'options.threads: '],
    ['half a thread', { ...minimal, options: { threads: 0.5 } }, 'options.threads: '],
    ['threads in another word than auto', { ...minimal, options: { threads: 'many' } }, 'a whole number, or auto'],
    [
      'a part size that is no power of two',
      { ...minimal, options: { partSize: 65_537 } },
      'options.partSize: expected a power of two',
    ],
    ['a part size that is too small', { ...minimal, options: { partSize: 256 } }, 'options.partSize: '],
    [
      'a buffer size that is no power of two',
      { ...minimal, options: { bufferSize: 1000 } },
      'options.bufferSize: expected a power of two',
    ],
    ['a negative smallest size', { ...minimal, options: { minSize: -1 } }, 'options.minSize: '],
    ['an empty pattern', { ...minimal, options: { includePattern: '' } }, 'options.includePattern: '],
    ['a chunk of less than 1 MiB', { ...minimal, options: { chunkSize: 1000 } }, 'options.chunkSize: '],
    ['a stall time-out that is none', { ...minimal, options: { stallTimeout: '3 days' } }, '"3 days" is no duration'],
    ['a negative stall time-out', { ...minimal, options: { stallTimeout: -1 } }, 'options.stallTimeout: '],
    ['a least rate of nothing', { ...minimal, options: { minRate: '0' } }, 'options.minRate: "0": nothing could be'],
    ['a negative limit of failures', { ...minimal, options: { maxFailures: -1 } }, 'options.maxFailures: '],
    ['a dry run that is to wait', { ...minimal, dryRun: true, options: { planOnly: true } }, 'leave out planOnly'],
    ['nothing', undefined, 'the document: '],
    ['text', 'a:/in b:/out', 'the document: '],
  ])('refuses %s and names the field', (_what, input, field) => {
    expect(() => parseJobSpec(input)).toThrow(expect.objectContaining({ name: 'SpecError', disposition: 'fail-job' }));
    expect(() => parseJobSpec(input)).toThrow(field);
  });

  it.each([
    [{}, { stallMs: undefined, leastRate: 0 }],
    [{ stallTimeout: 90 }, { stallMs: 90_000, leastRate: 0 }],
    [
      { stallTimeout: '2m', minRate: '1K' },
      { stallMs: 120_000, leastRate: 1024 },
    ],
    [{ stallTimeout: 0 }, { stallMs: 0, leastRate: 0 }],
    [
      { stallTimeout: 'off', minRate: 'off' },
      { stallMs: 0, leastRate: 0 },
    ],
  ])('reads %j as what transfers are held to', (options, expected) => {
    expect(paceOf(parseJobSpec({ ...minimal, options }).options)).toEqual(expected);
  });

  it('names every wrong field at once', () => {
    const wrong = { ...minimal, options: { threads: -1, force: 1 } };
    expect(() => parseJobSpec(wrong)).toThrow(
      /options\.force: .*; options\.threads: |options\.threads: .*; options\.force: /,
    );
  });

  it('is told as a JSON Schema in which only source and destination are required and each field has a sentence', () => {
    const schema = z.toJSONSchema(jobSpecSchema, { io: 'input' }) as unknown as {
      required: string[];
      additionalProperties: boolean;
      properties: {
        options: { properties: Record<string, { description?: string; default?: unknown }>; required?: string[] };
      };
    };
    expect(schema.required).toEqual(['source', 'destination']);
    expect(schema.additionalProperties).toBe(false);
    const { properties, required = [] } = schema.properties.options;
    expect(required).toEqual([]);
    const { force, checksum, ...fields } = properties;
    expect([force, checksum]).toEqual([0, 1].map(() => expect.objectContaining({ deprecated: true }) as unknown));
    expect(Object.keys(fields)).toEqual(Object.keys(parseJobSpec(minimal).options));
    for (const [name, { description, default: value }] of Object.entries(fields)) {
      expect([name, description]).toEqual([name, expect.stringMatching(/\w+/)]);
      expect([name, value]).toEqual([name, expect.anything()]);
    }
  });
});

describe('a job with a snapshot', () => {
  it.each<[object, string]>([
    [{ snapshot: true }, 'options.snapshot: needs mapping: exact (--exact)'],
    [{ snapshot: true, mapping: 'exact', filesOnly: true }, 'cannot go with filesOnly'],
    [{ snapshot: true, mapping: 'exact', filesFrom: '/list' }, 'needs a whole source: leave out filesFrom and pairs'],
    [{ snapshot: true, pairs: [{ source: '/a', destination: '/b' }] }, 'needs a whole source'],
    [{ repair: true, mapping: 'exact' }, 'it needs snapshot'],
  ])('is refused with %j', (options, why) => {
    expect(() => parseJobSpec({ ...minimal, options })).toThrow(why);
  });
});
