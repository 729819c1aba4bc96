import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, SpecError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { faultInTimetable } from '../limits/timetable.ts';
import { splitPort } from './addresses.ts';
import { normalize } from '../storage/path.ts';

/** Host and port of a URL. One with a user or a password before an `@` is refused, and not quoted. */
const authority = String.raw`[^/\s?#@\\]+`;
const URL_EXPECTED = 'expected an http:// or https:// URL such as http://nn1:9870';

const url = z
  .string()
  .trim()
  .superRefine((value, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    if (/^[^/]*\/\/[^/?#]*@/.test(value)) {
      return refuse('holds a user or a password: use auth_mechanism BASIC, with user and password');
    }
    if (/^https?:\/\/[^?#]*[?#]/i.test(value)) return refuse('has a ? or #: a URL ends with its host, or with a path');
    if (!new RegExp(`^https?://${authority}(?:/\\S*)?$`, 'i').test(value) || !URL.canParse(value)) refuse(URL_EXPECTED);
  })
  .meta({ pattern: `^\\s*[Hh][Tt][Tt][Pp][Ss]?://${authority}(/[^\\s?#]*)?\\s*$` })
  // Every request adds /webhdfs/v1 by itself, and many definitions name it too.
  .transform((value) =>
    value.replace(/\/*(?:\/webhdfs(?:\/+v1)?)?\/*$/i, '').replace(/^https?/i, (scheme) => scheme.toLowerCase()),
  );

const nameservice = z.strictObject({
  name: z
    .string()
    .min(1)
    .optional()
    .describe('Its name to clients of Hadoop (dfs.nameservices): distcp knows hdfs://NAME/path by it'),
  urls: z.array(url).min(1).describe('HTTP addresses of the namenodes, or of HttpFS; all serve the same namespace'),
  mounts: z
    .array(z.string().startsWith('/', 'expected an absolute path such as /data').transform(normalize))
    .min(1)
    .describe('Path prefixes that this nameservice serves; the longest wins'),
});

const nameservices = z
  .array(nameservice)
  .min(1)
  .superRefine((all, context) => {
    const seen = new Set<string>();
    const once = (key: string, path: (string | number)[], what: string) => {
      if (seen.has(key)) context.addIssue({ code: 'custom', path, message: `${what} is named twice` });
      seen.add(key);
    };
    for (const [i, { urls, mounts }] of all.entries()) {
      for (const [j, each] of urls.entries())
        once(URL.canParse(each) ? new URL(each).href : each, [i, 'urls', j], 'this address');
      for (const [j, mount] of mounts.entries()) once(mount, [i, 'mounts', j], `the mount ${mount}`);
    }
  });

/** Whether a text is a host or a pattern of hosts, with a port or without. */
function isHostPort(value: string): boolean {
  const { hostname, port } = splitPort(value);
  return /^[^\s/]+$/.test(hostname) && (port === undefined || (port > 0 && port < 65_536));
}

function isProxy(value: string): boolean {
  if (!/^https?:\/\/[^/\s?#]+\/?$/.test(value) || !URL.canParse(value)) return false;
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

export const clusterSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'expected letters, digits, ".", "_" or "-"')
    .refine((name) => name !== 'local', '"local" is the machine itself')
    .describe('Alias used in cluster:/path'),
  auth_mechanism: z
    .enum(['NONE', 'BASIC', 'GSSAPI', 'TOKEN', 'TKN_GSSAPI'])
    .default('NONE')
    .describe(
      'NONE: user.name. BASIC: user and password, for a gateway such as Knox. TOKEN: the given delegation token. ' +
        'GSSAPI: Kerberos. TKN_GSSAPI: a delegation token got with Kerberos',
    ),
  mutual_auth: z
    .enum(['OPTIONAL', 'REQUIRED', 'DISABLED'])
    .default('OPTIONAL')
    .describe('Kerberos: whether the server must prove who it is. OPTIONAL: when it tries, it must succeed'),
  principal: z
    .string()
    .regex(/^[^@\s]+@[^@\s]+$/, 'expected a principal such as alice@EXAMPLE.COM')
    .optional()
    .describe('Kerberos principal to log in as; default: that of the credential cache'),
  keytab: z.string().min(1).optional().describe("File with the principal's keys: no kinit is needed"),
  credential_cache: z
    .string()
    .min(1)
    .optional()
    .describe('File with tickets that kinit got; default: $KRB5CCNAME, then the system’s'),
  krb5_conf: z
    .string()
    .min(1)
    .optional()
    .describe('krb5.conf of its realm, as a file or its text; default: $KRB5_CONFIG, then the system’s'),
  max_concurrency: z
    .int()
    .optional()
    .describe('Transfers at once that this cluster allows; zero or less is as if left out'),
  max_bandwidth: z
    .string()
    .superRefine((text, context) => {
      const fault = faultInTimetable(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .optional()
    .describe(
      'Bytes a second that all jobs of a machine, or of a deployment, together read from this cluster and write to it; as the option bandwidth of a job',
    ),
  max_namenode_ops: z
    .int()
    .min(1)
    .optional()
    .describe('Requests a second that all jobs of a machine, or of a deployment, together send to its namenodes'),
  token: z.string().min(1).optional().describe('Delegation token, URL-safe string; with auth_mechanism TOKEN'),
  verify: z.boolean().default(true).describe('Verify TLS certificates'),
  truststore: z.string().min(1).optional().describe('PEM file with the certificate authorities to trust, or its text'),
  certificate: z.string().min(1).optional().describe('PEM file, or its text, with the client certificate'),
  key: z.string().min(1).optional().describe('PEM file, or its text, with the key of the client certificate'),
  user: z
    .string()
    .min(1)
    .optional()
    .describe('user.name with auth_mechanism NONE (default: the current user), or the user of BASIC'),
  password: z.string().min(1).optional().describe('Password with auth_mechanism BASIC'),
  doas: z.string().min(1).optional().describe('User to impersonate (proxy user)'),
  root: z.string().startsWith('/').optional().describe('Base for relative paths; default: /'),
  timeout: z
    .number()
    .positive()
    .default(60)
    .describe('Seconds that one request may wait for its answer; of these, at most 10 for a connection'),
  data_timeout: z
    .number()
    .positive()
    .optional()
    .describe(
      'Seconds that whoever reads or writes files may stay silent; default: 180, or timeout if that is longer. ' +
        'HDFS itself repairs a write within 60 s and 5 s for each datanode',
    ),
  retry_timeout: z
    .number()
    .nonnegative()
    .default(120)
    .describe('Seconds for which a request is tried again while no namenode can serve it'),
  datanode_addresses: z
    .record(
      z.string().refine(isHostPort, 'expected a host, or host:port'),
      z.string().refine(isHostPort, 'expected a host, or host:port'),
    )
    .optional()
    .describe(
      'Hosts whose names or addresses are of no use here, each with the host to connect to instead; * stands for ' +
        'anything, and either may end with a port',
    ),
  proxy: z
    .string()
    .refine(isProxy, 'expected http://proxy:3128; a % in its password is written %25')
    .optional()
    .describe('HTTP proxy through which all connections are made (CONNECT); may hold a user and a password'),
  nameservices,
});

/** pywhdfs's file: `~/.webhdfs.cfg`. Published as JSON Schema in docs/clusters.schema.json. */
export const clustersFileSchema = z.strictObject({
  clusters: z.array(clusterSchema).min(1),
  configuration: z
    .strictObject({
      logging: z
        .strictObject({ disable: z.boolean().optional(), path: z.string().optional(), level: z.string().optional() })
        .optional(),
    })
    .optional()
    .describe("pywhdfs's own settings; accepted, not used"),
});

/** One end of a copy: nameservices and authentication. */
export type Cluster = z.output<typeof clusterSchema>;

export function usesKerberos({ auth_mechanism: mechanism }: Pick<Cluster, 'auth_mechanism'>): boolean {
  return mechanism === 'GSSAPI' || mechanism === 'TKN_GSSAPI';
}

const NEEDED = [
  ['TOKEN', 'token'],
  ['BASIC', 'user'],
  ['BASIC', 'password'],
] as const;

/** `--conf`, then `$WEBHDFS_CONFIG`, then `~/.webhdfs.cfg`. */
export function clustersFile(option: string | undefined, environment: NodeJS.ProcessEnv = process.env): string {
  const named = option ?? environment['WEBHDFS_CONFIG'];
  if (named !== undefined) return named;
  try {
    return join(homedir(), '.webhdfs.cfg');
  } catch (error) {
    throw new SpecError(
      'this user has no home directory',
      'name the clusters’ file with --conf or $WEBHDFS_CONFIG',
      error,
    );
  }
}

/** Reads pywhdfs's file. @throws SpecError that names the file and the field */
export function loadClusters(file: string): ReadonlyMap<string, Cluster> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SpecError(
      `cannot read the cluster configuration ${file}: ${messageOf(error)}`,
      'name another file with --conf or $WEBHDFS_CONFIG, or make it: hdfs-fanout clusters import --help',
      error,
    );
  }
  return parseClusters(text, file);
}

export function parseClusters(text: string, file: string): ReadonlyMap<string, Cluster> {
  const parsed = clustersFileSchema.safeParse(parseJson(text, file));
  if (!parsed.success) throw new SpecError(`${file}: ${issuesOf(parsed.error)}`);
  const clusters = new Map<string, Cluster>();
  for (const [index, cluster] of parsed.data.clusters.entries()) {
    if (clusters.has(cluster.name)) {
      throw new SpecError(`${file}: clusters[${index}].name: "${cluster.name}" is defined twice`);
    }
    for (const [mechanism, field] of NEEDED) {
      if (cluster.auth_mechanism !== mechanism || cluster[field] !== undefined) continue;
      throw new SpecError(`${file}: clusters[${index}].${field}: missing, and auth_mechanism is ${mechanism}`);
    }
    if (cluster.keytab !== undefined && cluster.principal === undefined) {
      throw new SpecError(`${file}: clusters[${index}].principal: missing, and a keytab is named`);
    }
    if ((cluster.certificate === undefined) !== (cluster.key === undefined)) {
      throw new SpecError(`${file}: clusters[${index}]: certificate and key belong together, and one is missing`);
    }
    clusters.set(cluster.name, cluster);
  }
  return clusters;
}

/** Reads the definition of one cluster, as a secret holds it. @param what  names the document in errors */
export function parseCluster(text: string, what: string): Cluster {
  const parsed = clusterSchema.safeParse(parseJson(text, what));
  if (!parsed.success) throw new SpecError(`${what}: ${issuesOf(parsed.error)}`);
  return parsed.data;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text around the error, which may be a token: only its position is told.
    const message = messageOf(error);
    const position = / at position \d+(?: \(line \d+ column \d+\))?$/.exec(message)?.[0];
    const where = position ?? (message === 'Unexpected end of JSON input' ? ' at its end' : '');
    throw new SpecError(
      `${what} is not JSON: syntax error${where}`,
      'find the error with python3 -m json.tool, and correct it',
    );
  }
}
