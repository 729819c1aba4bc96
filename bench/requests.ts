// The few requests of WebHDFS that laying out trees and the floors need: no retry, no check, nothing but the request.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { cachedLookup } from '../shared/hdfs/lookup.ts';

/** A datanode ends every connection, and a copy can do without asking for its name each time. */
const lookup = cachedLookup();
/** The library's own; by default it takes the agent of the undici inside Node, where that has one. */
const dispatcher = new Agent({ connect: { lookup } });

/** Delegation tokens of those clusters that want one, by their namenode's URL. */
const tokens = new Map<string, string>();

/** All requests to this cluster carry its token from now on. */
export const useToken = (namenodeUrl: string, token: string): void => {
  tokens.set(namenodeUrl, token);
};

export const tokenOf = (namenodeUrl: string): string | undefined => tokens.get(namenodeUrl);

/** A path on a cluster, for one operation. Names of the benchmark's files need no escapes. */
export const urlOf = (namenodeUrl: string, path: string, operation: string, parameters = ''): string => {
  const token = tokens.get(namenodeUrl);
  const who = token === undefined ? 'user.name=root' : `delegation=${token}`;
  return `${namenodeUrl}/webhdfs/v1${path}?op=${operation}&${who}${parameters}`;
};

/** The first step of a redirected operation. @returns the datanode's URL */
export const locate = async (method: 'GET' | 'PUT', url: string): Promise<string> => {
  const { statusCode, headers, body } = await request(url, { method, dispatcher });
  const text = await body.text();
  const { location } = headers;
  if (statusCode !== 307 || typeof location !== 'string') throw new Error(`${method} ${url}: ${statusCode} ${text}`);
  return location;
};

/** A request whose answer is short. */
export const ask = async (method: 'GET' | 'PUT' | 'DELETE', url: string): Promise<string> => {
  const { statusCode, body } = await request(url, { method, dispatcher });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${method} ${url}: ${statusCode} ${text}`);
  return text;
};

export const askJson = async <T>(method: 'GET' | 'PUT' | 'DELETE', url: string): Promise<T> =>
  JSON.parse(await ask(method, url)) as T;

/** Through node:http, since undici takes a datanode's unsolicited `100 Continue` for a broken server. */
export const upload = async (url: string, body: Readable, lengthBytes: number): Promise<void> => {
  const { request: send } = url.startsWith('https:') ? https : http;
  const sending = send(url, {
    method: 'PUT',
    agent: false,
    lookup,
    headers: { 'content-type': 'application/octet-stream', 'content-length': lengthBytes },
  });
  const answered = once(sending, 'response') as Promise<[http.IncomingMessage]>;
  body.on('error', (error) => sending.destroy(error));
  body.pipe(sending);
  const [response] = await answered;
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 201) throw new Error(`PUT ${url}: ${response.statusCode}`);
};

/** The same datanode asked for the same path's checksum, which saves the namenode's redirect. */
export const checksumUrl = (datanodeUrl: string): string => {
  const { origin, pathname, searchParams } = new URL(datanodeUrl);
  const namenode = searchParams.get('namenoderpcaddress') ?? '';
  const token = searchParams.get('delegation');
  const who = token === null ? 'user.name=root' : `delegation=${token}`;
  return `${origin}${pathname}?op=GETFILECHECKSUM&${who}&namenoderpcaddress=${namenode}`;
};

interface Status {
  readonly pathSuffix: string;
  readonly type: 'FILE' | 'DIRECTORY';
  readonly length: number;
}

/** A directory's entries, all in one answer. */
export const list = async (namenodeUrl: string, path: string): Promise<readonly Status[]> => {
  interface Statuses {
    FileStatuses: { FileStatus: Status[] };
  }
  const json = await askJson<Statuses>('GET', urlOf(namenodeUrl, path, 'LISTSTATUS'));
  return json.FileStatuses.FileStatus;
};

/** Works through items, so many at once; the first failure ends it. */
export const forEachOf = async <T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const iterator = items[Symbol.iterator]();
  const one = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
};
