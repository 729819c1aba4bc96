// What the bed asks of a JVM itself (Control.java): no ticket is needed, whatever its daemons demand.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the JVM of that name tells on which port it can be asked. */
export const controlFile = (dir: string, host: string): string => join(dir, 'control', host);

const ask = async (portFile: string, path: string, parameters: Record<string, string>): Promise<string> => {
  let port: string;
  try {
    port = await readFile(portFile, 'utf8');
  } catch {
    throw new Error('starting');
  }
  const url = `http://127.0.0.1:${port}/${path}?${new URLSearchParams(parameters).toString()}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} failed: ${text.slice(0, 2000)}`);
  return text;
};

/** Those attributes of all matching MBeans of the JVM that are texts. */
export const beansOf = async <Attribute extends string>(
  portFile: string,
  query: string,
  attributes: readonly Attribute[],
): Promise<Partial<Record<Attribute, string>>[]> =>
  JSON.parse(await ask(portFile, 'beans', { query, attributes: attributes.join() })) as Partial<
    Record<Attribute, string>
  >[];

/** As the superuser, with permission 1777. */
export const makeOpenDirectory = async (
  portFile: string,
  namenode: string,
  path: string,
  kind: { key: string } | { policy: string } | Record<string, never> = {},
): Promise<void> => {
  await ask(portFile, 'directory', { namenode, path, ...kind });
};

/** Of a namenode with HA. Nothing is fenced: the other namenode has to be a standby already, or gone. */
export const changeState = async (portFile: string, namenode: string, state: 'active' | 'standby'): Promise<void> => {
  await ask(portFile, 'state', { namenode, state });
};
