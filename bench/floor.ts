// The floor: the smallest client that makes only the requests a copy cannot do without, from socket to socket.
//
//   none       OPEN and CREATE, two hops each, and RENAME
//   checksum   the same, and both GETFILECHECKSUMs, asked of the datanodes that served
//   digest     the same, and both checksums computed of the bytes on their way: what it takes where block sizes differ
//
// usage: node floor.ts LEVEL SOURCE-NAMENODE-URL SOURCE DESTINATION-NAMENODE-URL DESTINATION AT-ONCE [BLOCK-BYTES BLOCK-BYTES]
// The environment holds SOURCE_TOKEN and DESTINATION_TOKEN where clusters want them.
import { BlockDigest } from './block-digest.ts';
import { pump } from './pump.ts';
import { ask, hangUp, locate } from './raw-http.ts';
import { checksumUrl, forEachOf, list, urlOf, useToken } from './requests.ts';

const [level, sourceUrl = '', source = '', destinationUrl = '', destination = '', atOnce, ...blockBytes] =
  process.argv.slice(2);
const { SOURCE_TOKEN, DESTINATION_TOKEN } = process.env;
if (SOURCE_TOKEN !== undefined) useToken(sourceUrl, SOURCE_TOKEN);
if (DESTINATION_TOKEN !== undefined) useToken(destinationUrl, DESTINATION_TOKEN);

interface File {
  readonly path: string;
  readonly lengthBytes: number;
}

const filesBelow = async (path: string): Promise<File[]> => {
  const entries = await list(sourceUrl, `${source}${path}`);
  const files = entries.map(async ({ pathSuffix, type, length }) => {
    const child = `${path}/${pathSuffix}`;
    return type === 'DIRECTORY' ? await filesBelow(child) : [{ path: child, lengthBytes: length }];
  });
  return (await Promise.all(files)).flat();
};

/** The MD5 in a GETFILECHECKSUM's answer: behind twelve bytes of settings, before some of slack. */
const md5In = ({ body }: { readonly body: string }): string => {
  const { FileChecksum } = JSON.parse(body) as { FileChecksum: { bytes: string } };
  return FileChecksum.bytes.slice(24, 56);
};

const copy = async ({ path, lengthBytes }: File): Promise<void> => {
  const temporary = `${destination}${path}.part`;
  const opening = locate('GET', urlOf(sourceUrl, `${source}${path}`, 'OPEN'));
  const creating = locate('PUT', urlOf(destinationUrl, temporary, 'CREATE'));
  const [from, to] = await Promise.all([opening, creating]);
  const digest = level === 'digest' ? new BlockDigest(blockBytes.map(Number)) : undefined;
  await pump(from, to, lengthBytes, (bytes) => digest?.update(bytes));
  if (level !== 'none') {
    const answers = await Promise.all([ask('GET', checksumUrl(from)), ask('GET', checksumUrl(to))]);
    const stored = answers.map(md5In);
    const right = digest?.end() ?? stored.toReversed();
    if (stored.join() !== right.join()) throw new Error(`${path} was copied wrong`);
  }
  const named = `&destination=${destination}${path}&renameoptions=NONE`;
  await ask('PUT', urlOf(destinationUrl, temporary, 'RENAME', named));
};

await forEachOf(await filesBelow(''), Number(atOnce), copy);
hangUp();
