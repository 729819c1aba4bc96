// Hadoop's configuration files.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type Properties = Record<string, string>;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const siteXml = (properties: Properties): string => {
  const lines = Object.entries(properties).map(
    ([name, value]) => ` <property><name>${escape(name)}</name><value>${escape(value)}</value></property>\n`,
  );
  return `<?xml version="1.0"?><configuration>\n${lines.join('')}</configuration>\n`;
};

export const writeProperties = async (file: string, properties: Properties): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, siteXml(properties));
};

/** Writes one file per entry: `{ core: … }` becomes core-site.xml. */
export const writeSites = async (dir: string, sites: Record<string, Properties>): Promise<void> => {
  for (const [name, properties] of Object.entries(sites))
    await writeProperties(join(dir, `${name}-site.xml`), properties);
};
