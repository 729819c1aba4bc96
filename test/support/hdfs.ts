import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { Agent, request } from 'undici';

/**
 * A second, independent client for tests: a few requests as curl would send them, so that the product's own client is
 * not what checks the product.
 */
export class TestHdfs {
  readonly url: string;
  readonly #who: Record<string, string>;
  readonly #tls: { ca?: string };
  readonly #dispatcher: Agent;

  /** @param secure  a delegation token in place of a user's name, and whom to trust, as PEM */
  constructor(url: string, user = 'root', secure: { token?: string; ca?: string } = {}) {
    this.url = url;
    this.#who = secure.token === undefined ? { 'user.name': user } : { delegation: secure.token };
    this.#tls = secure.ca === undefined ? {} : { ca: secure.ca };
    // A connection for each request: a server may close an idle one just when it is used again.
    this.#dispatcher = new Agent({ connect: this.#tls, pipelining: 0 });
  }

  async call(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    op: string,
    path: string,
    parameters: Record<string, string> = {},
  ) {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const query = new URLSearchParams({ op, ...this.#who, ...parameters });
    const { statusCode, headers, body } = await request(`${this.url}/webhdfs/v1${encoded}?${query.toString()}`, {
      method,
      dispatcher: this.#dispatcher,
    });
    const text = await body.text();
    if (statusCode >= 400) throw new Error(`${op} ${path}: ${statusCode} ${text}`);
    return { location: headers['location'] as string | undefined, text };
  }

  async json<T>(op: string, path: string, parameters: Record<string, string> = {}): Promise<T> {
    return JSON.parse((await this.call('GET', op, path, parameters)).text) as T;
  }

  async mkdirs(path: string): Promise<void> {
    await this.call('PUT', 'MKDIRS', path);
  }

  async remove(path: string): Promise<void> {
    await this.call('DELETE', 'DELETE', path, { recursive: 'true' });
  }

  async put(path: string, content: Buffer | string, parameters: Record<string, string> = {}): Promise<void> {
    await this.#send('PUT', 'CREATE', path, content, { overwrite: 'true', ...parameters });
  }

  async append(path: string, content: Buffer | string): Promise<void> {
    await this.#send('POST', 'APPEND', path, content, {});
  }

  async concat(path: string, sources: readonly string[]): Promise<void> {
    await this.call('POST', 'CONCAT', path, { sources: sources.join(',') });
  }

  async get(path: string): Promise<Buffer> {
    const { location: given } = await this.call('GET', 'OPEN', path);
    if (given === undefined) throw new Error(`OPEN ${path} was not redirected`);
    const location = spelt(given, path);
    const { statusCode, body } = await request(location, { dispatcher: this.#dispatcher });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`OPEN ${path}: ${statusCode} ${bytes.toString('utf8')}`);
    return bytes;
  }

  async list(path: string): Promise<TestStatus[]> {
    interface Statuses {
      FileStatuses: { FileStatus: TestStatus[] };
    }
    return (await this.json<Statuses>('LISTSTATUS', path)).FileStatuses.FileStatus;
  }

  async status(path: string): Promise<TestStatus> {
    return (await this.json<{ FileStatus: TestStatus }>('GETFILESTATUS', path)).FileStatus;
  }

  async exists(path: string): Promise<boolean> {
    return this.status(path).then(
      () => true,
      () => false,
    );
  }

  /** Every path below `root`: `dir/` for a directory, for a file its length and the SHA-256 of what OPEN gives. */
  async tree(root: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const visit = async (path: string): Promise<void> => {
      const entries = await this.list(root + path);
      for (let i = 0; i < entries.length; i += 16) {
        await Promise.all(entries.slice(i, i + 16).map((entry) => add(`${path}/${entry.pathSuffix}`, entry)));
      }
    };
    const add = async (path: string, { type, length }: TestStatus): Promise<void> => {
      if (type === 'DIRECTORY') {
        found[`${path}/`] = '';
        await visit(path);
      } else {
        const hash =
          length === 0
            ? ''
            : createHash('sha256')
                .update(await this.get(root + path))
                .digest('hex');
        found[path] = `${length} ${hash}`;
      }
    };
    await visit('');
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Through node:http: a datanode answers uploads with an interim `100 Continue` that undici does not take. */
  async #send(
    method: 'PUT' | 'POST',
    op: string,
    path: string,
    content: Buffer | string,
    parameters: Record<string, string>,
  ) {
    const { location: given } = await this.call(method, op, path, parameters);
    const location = given && spelt(given, path);
    if (location === undefined) throw new Error(`${op} ${path} was not redirected`);
    await new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': Buffer.byteLength(content) };
      const send = location.startsWith('https:') ? https.request : http.request;
      const upload = send(location, { method, headers, agent: false, ...this.#tls }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () =>
          (answer.statusCode ?? 500) < 300
            ? resolve()
            : reject(new Error(`${op} ${path}: ${answer.statusCode ?? ''} ${text}`)),
        );
      });
      upload.on('error', reject);
      upload.end(content);
    });
  }
}

/** A redirect names the composed form of a path: the path itself takes its place. */
function spelt(location: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return location.replace(/\/webhdfs\/v1[^?]*/, () => `/webhdfs/v1${encoded}`);
}

export interface TestStatus {
  pathSuffix: string;
  type: 'FILE' | 'DIRECTORY';
  length: number;
  owner: string;
  group: string;
  permission: string;
  modificationTime: number;
  accessTime: number;
  blockSize: number;
  replication: number;
  fileId: number;
  aclBit?: boolean;
}
