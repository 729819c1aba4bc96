import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readConfiguration } from '../../../../shared/hadoop-conf/configuration.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hadoop-conf-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (file: string, content: string, root = 'configuration') =>
  writeFileSync(
    join(directory, file),
    `<?xml version="1.0"?><!-- ours -->\n<${root} xmlns:xi="http://www.w3.org/2001/XInclude">${content}</${root}>`,
  );
const property = (name: string, value: string, more = '') =>
  `<property>\n <name> ${name}\n</name>\n <value>${value}</value>${more}</property>\n`;
const read = (files = ['core-site.xml', 'hdfs-site.xml'], environment = {}) => {
  const configuration = readConfiguration(directory, files, environment);
  if (!configuration) throw new Error('nothing was read');
  return configuration;
};

it('reads one file after the other: the later value wins, but over a final one', () => {
  write('core-site.xml', property('a', '1') + property('b', '1', '<final>true</final>') + property('c', '1'));
  write('hdfs-site.xml', property('a', '2') + property('b', '2') + property('empty', ' '));
  const configuration = read();
  expect(['a', 'b', 'c', 'empty', 'none'].map((name) => configuration.get(name))).toEqual([
    '2',
    '1',
    '1',
    undefined,
    undefined,
  ]);
});

it('takes attributes for elements, CDATA, comments, entities, and the names that Hadoop has given up', () => {
  write(
    'core-site.xml',
    '<property name="a" value="x&amp;y" final="false"/>' +
      property('b', '<![CDATA[<b>]]>') +
      property('fs.default.name', '<!-- old --> hdfs://nn1 '),
  );
  const configuration = read();
  expect([configuration.get('a'), configuration.get('b'), configuration.get('fs.defaultFS')]).toEqual([
    'x&y',
    '<b>',
    'hdfs://nn1',
  ]);
});

it('replaces variables by other values and by the environment', () => {
  write(
    'core-site.xml',
    property('host', 'nn1') +
      property('port', '${env.PORT:-9870}') +
      property('address', '${host}:${port}') +
      property('list', ' a, ,${address} ') +
      property('plain', '${env.HOME_OF}') +
      property('or', '${env.MISSING-none}'),
  );
  const configuration = read(undefined, { HOME_OF: '/h', PORT: '' });
  expect(configuration.get('address')).toBe('nn1:9870');
  expect(configuration.list('list')).toEqual(['a', 'nn1:9870']);
  expect([configuration.get('plain'), configuration.get('or')]).toEqual(['/h', 'none']);
});

it.each([
  ['a variable that nothing sets', '${user.home}/x', /^a is "\$\{user.home\}\/x", and nothing here sets user.home/],
  ['a variable that names itself', '${a}', /^a is "\$\{a\}", which names itself/],
])('refuses %s in words', (_, value, message) => {
  write('core-site.xml', property('a', value));
  expect(() => read().get('a')).toThrow(message);
});

it('follows an include, its fallback where the file is not there, and no circle', () => {
  write('core-site.xml', '<xi:include href="more.xml"/>' + property('b', 'own'));
  write('more.xml', property('a', 'included') + property('b', 'included'));
  expect([read().get('a'), read().get('b')]).toEqual(['included', 'own']);
  write(
    'core-site.xml',
    `<xi:include href="gone.xml"><xi:fallback>${property('a', 'fallback')}</xi:fallback></xi:include>`,
  );
  expect(read().get('a')).toBe('fallback');
  write('core-site.xml', '<xi:include href="http://conf.test/core.xml"/>');
  expect(() => read()).toThrow(/core-site.xml includes http:\/\/conf.test\/core.xml, which is not there/);
  write('core-site.xml', '<xi:include href="core-site.xml"/>');
  expect(() => read()).toThrow('includes itself');
});

it('tells a file that is no configuration by its name and line', () => {
  writeFileSync(join(directory, 'core-site.xml'), '<configuration>\n<property>\n</configuration>');
  expect(() => read()).toThrow(/core-site\.xml is not XML: .*3:/);
  write('core-site.xml', '', 'html');
  expect(() => read()).toThrow('core-site.xml is no configuration: it is <html>');
  writeFileSync(
    join(directory, 'core-site.xml'),
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><configuration>&e;</configuration>',
  );
  expect(() => read()).toThrow('is not XML');
});

it('knows where nothing is to be read', () => {
  expect(readConfiguration(directory, ['core-site.xml'], {})).toBeUndefined();
});
