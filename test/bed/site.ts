// Hadoop's configuration files.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Properties = Record<string, string>;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const siteXml = (properties: Properties): string => {
  const lines = Object.entries(properties).map(
    ([name, value]) => ` <property><name>${escape(name)}</name><value>${escape(value)}</value></property>\n`,
  );
  return `<?xml version="1.0"?><configuration>\n${lines.join('')}</configuration>\n`;
};

/** Writes one file per entry: `{ 'core-site': … }` becomes core-site.xml. */
export const writeSites = async (dir: string, sites: Record<string, Properties>): Promise<void> => {
  await mkdir(dir, { recursive: true });
  for (const [name, properties] of Object.entries(sites)) {
    await writeFile(join(dir, `${name}.xml`), siteXml(properties));
  }
};
