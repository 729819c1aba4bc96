// The floor: the smallest client that makes only the requests a copy cannot do without, and checks nothing.
//
//   none       OPEN and CREATE, two hops each, and RENAME
//   checksum   the same, and both GETFILECHECKSUMs, asked of the datanodes that served
//
// usage: node floor.ts none|checksum SOURCE-NAMENODE-URL SOURCE DESTINATION-NAMENODE-URL DESTINATION AT-ONCE
import { ask, checksumUrl, download, forEachOf, list, locate, upload, urlOf } from './requests.ts';

const [level, sourceUrl = '', source = '', destinationUrl = '', destination = '', atOnce] = process.argv.slice(2);

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

const copy = async ({ path, lengthBytes }: File): Promise<void> => {
  const temporary = `${destination}${path}.part`;
  const opening = locate('GET', urlOf(sourceUrl, `${source}${path}`, 'OPEN'));
  const creating = locate('PUT', urlOf(destinationUrl, temporary, 'CREATE'));
  const [from, to] = await Promise.all([opening, creating]);
  await upload(to, await download(from), lengthBytes);
  if (level === 'checksum') await Promise.all([ask('GET', checksumUrl(from)), ask('GET', checksumUrl(to))]);
  const named = `&destination=${destination}${path}&renameoptions=NONE`;
  await ask('PUT', urlOf(destinationUrl, temporary, 'RENAME', named));
};

await forEachOf(await filesBelow(''), Number(atOnce), copy);
