import { examine } from '../../shared/doctor/doctor.ts';
import type { CheckName, Row, RowState } from '../../shared/doctor/row.ts';
import { type Cluster, clusterSchema } from '../../shared/hdfs/cluster.ts';
import {
  type Answer,
  fileStatus,
  type GivenAnswer,
  redirect,
  remoteException,
  ScriptedServer,
  type Seen,
} from './scripted-server.ts';

/** What the answers to single operations are replaced by; `jmx` for a request to JMX. */
export type Answers = Readonly<Record<string, GivenAnswer | ((seen: Seen) => Answer)>>;

const CONTENT_BYTES = 19;

/** A cluster in good health: a namenode and its one datanode. */
export class Patient implements AsyncDisposable {
  readonly namenode: ScriptedServer;
  readonly datanode: ScriptedServer;

  private constructor(namenode: ScriptedServer, datanode: ScriptedServer) {
    this.namenode = namenode;
    this.datanode = datanode;
  }

  static async start(answers: Answers = {}): Promise<Patient> {
    const datanode = await ScriptedServer.start([{ status: 201 }]);
    const location = (seen: Seen) => redirect(`${datanode.url}/webhdfs/v1${seen.path}?op=X&namenoderpcaddress=nn:8020`);
    let joined = false;
    const healthy: Answers = {
      GETHOMEDIRECTORY: { json: { Path: '/user/me' } },
      GETFILESTATUS: ({ path }) =>
        path.endsWith('/target')
          ? fileStatus({ length: CONTENT_BYTES * (joined ? 2 : 1) })
          : fileStatus({ type: 'DIRECTORY', permission: '755' }),
      LISTSTATUS_BATCH: {
        json: { DirectoryListing: { partialListing: { FileStatuses: { FileStatus: [] } }, remainingEntries: 0 } },
      },
      CREATE: location,
      OPEN: location,
      MKDIRS: { json: { boolean: true } },
      RENAME: {},
      WHICHSERVER: remoteException('IllegalArgumentException', 'Invalid value for webhdfs parameter "op"', 400),
      CONCAT: () => {
        joined = true;
        return {};
      },
      DELETE: { json: { boolean: true } },
      GETQUOTAUSAGE: {
        json: { QuotaUsage: { quota: -1, spaceQuota: -1, spaceConsumed: 0, fileAndDirectoryCount: 1 } },
      },
      GETSTATUS: { json: { FsStatus: { used: 10, remaining: 90, capacity: 100 } } },
      jmx: { status: 404 },
      ...answers,
    };
    const namenode = await ScriptedServer.start((seen) => {
      const answer = healthy[seen.url.startsWith('/jmx') ? 'jmx' : seen.operation] ?? { status: 500 };
      return typeof answer === 'function' ? answer(seen) : answer;
    });
    return new Patient(namenode, datanode);
  }

  get url(): string {
    return this.namenode.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.namenode[Symbol.asyncDispose]();
    await this.datanode[Symbol.asyncDispose]();
  }
}

export interface Asked {
  readonly path?: string;
  readonly readOnly?: boolean;
  readonly signal?: AbortSignal;
  /** Of the definition. */
  readonly cluster?: Record<string, unknown>;
}

/** What the doctor says of a cluster whose one nameservice has these URLs. */
export async function examined(urls: readonly string[], asked: Asked = {}): Promise<Rows> {
  const cluster: Cluster = clusterSchema.parse({
    name: 'prod',
    user: 'me',
    nameservices: [{ urls, mounts: ['/'] }],
    ...asked.cluster,
  });
  const rows: Row[] = [];
  const { path, readOnly = false, signal = new AbortController().signal } = asked;
  await examine({ cluster, path, readOnly }, signal, (row) => void rows.push(row));
  return new Rows(rows);
}

export class Rows {
  readonly all: readonly Row[];

  constructor(all: readonly Row[]) {
    this.all = all;
  }

  /** What `doctor --json` printed. */
  static in(stdout: string): Rows {
    const lines = stdout.split('\n').filter((line) => line !== '');
    const events = lines.map((line) => JSON.parse(line) as { type: string } & Row);
    return new Rows(events.filter(({ type }) => type === 'check'));
  }

  /** Of one check, in order. */
  of(name: CheckName): Row[] {
    return this.all.filter((row) => row.name === name);
  }

  /** `state: found (remedy)` of a check's only row, or of one target's. */
  text(name: CheckName, target?: string): string {
    const [row, ...more] = this.of(name).filter((one) => target === undefined || one.target === target);
    if (!row || more.length > 0) throw new Error(`${more.length + (row ? 1 : 0)} rows for ${name}`);
    return `${row.state}: ${row.found}${row.remedy === undefined ? '' : ` (${row.remedy})`}`;
  }

  /** Checks with a row in this state. */
  in(state: RowState): CheckName[] {
    return [...new Set(this.all.filter((row) => row.state === state).map(({ name }) => name))];
  }
}
