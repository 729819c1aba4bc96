import { SpecError } from '../errors.ts';
import { addressesOf, fileSystemOf, type Scheme } from './addresses.ts';
import { type HadoopConfiguration, readConfiguration } from './configuration.ts';

/** In the order in which a client of HDFS reads them. */
const FILES = ['core-site.xml', 'mountTable.xml', 'hdfs-site.xml'];
const TLS_FILES = ['ssl-client.xml'];

/** An entry of the clusters' file, as far as a Hadoop client's configuration tells it. */
export interface ImportedCluster {
  readonly name: string;
  readonly auth_mechanism: 'NONE' | 'TKN_GSSAPI';
  readonly nameservices: readonly {
    readonly name?: string;
    readonly urls: readonly string[];
    readonly mounts: readonly string[];
  }[];
}

/** A definition, with what a person must still do or know. */
export interface Import {
  readonly cluster: ImportedCluster;
  readonly notes: readonly string[];
}

/**
 * The definition of a cluster from the configuration of one of its clients: nameservices with all their namenodes, http or https by
 * `dfs.http.policy`, Kerberos or none, mounts of ViewFS. Passwords are not read.
 *
 * @param nameservice  in place of what `fs.defaultFS` names
 * @throws SpecError that says what is missing
 */
export function importCluster(
  directory: string,
  name: string,
  nameservice: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Import {
  const configuration = readConfiguration(directory, FILES, environment);
  if (!configuration) {
    throw new SpecError(
      `${directory} holds neither ${FILES.join(' nor ')}`,
      'name the configuration of a Hadoop client',
    );
  }
  const notes: string[] = [];
  const scheme = schemeOf(configuration, notes);
  const nameservices = nameservicesOf(configuration, scheme, nameservice, notes);
  const isSecure = (configuration.get('hadoop.security.authentication') ?? 'simple').toLowerCase() === 'kerberos';
  if (isSecure) {
    notes.push(
      'it uses Kerberos: run kinit, or add "principal" and "keytab", and "krb5_conf" where the realm has its own',
    );
  }
  if (scheme === 'https') notes.push(...trustNotes(directory, name, environment));
  if (configuration.get('dfs.webhdfs.enabled')?.toLowerCase() === 'false') {
    notes.push('dfs.webhdfs.enabled is false: put the address of its HttpFS in place of those of the namenodes');
  }
  return { cluster: { name, auth_mechanism: isSecure ? 'TKN_GSSAPI' : 'NONE', nameservices }, notes };
}

/** `dfs.http.policy`: where both are served, the one that nobody can listen to. */
function schemeOf(configuration: HadoopConfiguration, notes: string[]): Scheme {
  const policy = (configuration.get('dfs.http.policy') ?? 'HTTP_ONLY').toUpperCase();
  if (policy === 'HTTP_AND_HTTPS') notes.push('http is served too (dfs.http.policy): https is taken');
  return policy === 'HTTP_ONLY' ? 'http' : 'https';
}

function nameservicesOf(
  configuration: HadoopConfiguration,
  scheme: Scheme,
  wanted: string | undefined,
  notes: string[],
): ImportedCluster['nameservices'] {
  const known = configuration.list('dfs.nameservices');
  if (wanted !== undefined && !known.includes(wanted)) {
    throw new SpecError(
      `there is no nameservice ${wanted} in dfs.nameservices`,
      `it has ${known.join(', ') || 'none'}`,
    );
  }
  const authority = wanted ?? authorityOf(configuration, known, notes);
  const targets = typeof authority === 'string' ? new Map([[authority, ['/']]]) : authority;
  const others = known.filter((service) => !targets.has(service));
  if (others.length > 0) {
    notes.push(`it also knows ${others.join(', ')}: import each under a name of its own with --nameservice`);
  }
  return [...targets].map(([service, mounts]) => {
    const { urls, notes: doubts } = addressesOf(configuration, service, scheme);
    notes.push(...doubts);
    return { ...(known.includes(service) ? { name: service } : {}), urls, mounts };
  });
}

/** What a path without a scheme means to this client. */
function authorityOf(
  configuration: HadoopConfiguration,
  known: readonly string[],
  notes: string[],
): string | ReadonlyMap<string, readonly string[]> {
  const uri = configuration.get('fs.defaultFS');
  if (uri === undefined) {
    const [only] = known;
    if (known.length === 1 && only !== undefined) return only;
    throw new SpecError(
      'fs.defaultFS is not set',
      `name one with --nameservice: ${known.join(', ') || 'there is none'}`,
    );
  }
  const { scheme, authority } = fileSystemOf(uri, 'fs.defaultFS');
  return scheme === 'viewfs' ? mountsOf(configuration, authority, notes) : authority;
}

/** ViewFS's table: org.apache.hadoop.fs.viewfs.Constants. A path keeps its name on the nameservice that serves it, or cannot be said here. */
function mountsOf(
  configuration: HadoopConfiguration,
  table: string,
  notes: string[],
): ReadonlyMap<string, readonly string[]> {
  const mounts = new Map<string, string[]>();
  const prefix = `fs.viewfs.mounttable.${table}.`;
  for (const [link, target] of configuration.below(prefix)) {
    const isRoot = link === 'linkFallback' || link === 'linkMergeSlash';
    const path = isRoot ? '/' : link.startsWith('link.') ? link.slice(5) : undefined;
    if (path === undefined) {
      // linkMerge, linkNfly, linkRegx: several file systems behind one path, or names that are made up.
      if (link.startsWith('link')) notes.push(`${prefix}${link} is left out: a path of a cluster here has one place`);
      continue;
    }
    const { authority, path: there } = fileSystemOf(target, prefix + link);
    if (there.replace(/(.)\/$/, '$1') !== path) {
      throw new SpecError(
        `${prefix}${link} shows ${target} as ${path}: paths of a cluster here are those of its namenodes`,
        'import the nameservice itself with --nameservice',
      );
    }
    mounts.set(authority, [...(mounts.get(authority) ?? []), path]);
  }
  if (mounts.size === 0) throw new SpecError(`nothing is mounted in ${prefix}link.*`, 'name one with --nameservice');
  return mounts;
}

/** Java's keystores are not read: what to do to have the certificates as PEM. */
function trustNotes(directory: string, name: string, environment: NodeJS.ProcessEnv): readonly string[] {
  const tls = readConfiguration(directory, TLS_FILES, environment);
  const truststore = tls?.get('ssl.client.truststore.location');
  const keystore = tls?.get('ssl.client.keystore.location');
  const trusted =
    truststore === undefined
      ? 'add "truststore" where its certificates are not of a public authority'
      : `it trusts ${truststore}: keytool -list -rfc -keystore ${truststore} > ${name}.pem, then add "truststore"`;
  const own = `it has a certificate of its own in ${keystore ?? ''}: add "certificate" and "key" where it is asked for`;
  return keystore === undefined ? [trusted] : [trusted, own];
}
