import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpecError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { makeKerberosHome } from './kerberos-leftovers.ts';
import { mergeKeytabs, readKeytab } from './keytab.ts';
import { realmsOf } from './krb5-conf.ts';
import { readNamedFile } from './named-file.ts';

type Account = Pick<Cluster, 'name' | 'principal' | 'keytab' | 'credential_cache' | 'krb5_conf'>;

/**
 * The settings of libkrb5 for all Kerberos clusters of this process. The library reads them from the environment, of which a process
 * has one: configurations are listed, keytabs joined, and tickets kept in a collection, from which each call chooses by principal.
 *
 * @see https://web.mit.edu/kerberos/krb5-latest/doc/basic/ccache_def.html (DIR), krb5.conf(5)
 */
export class KerberosEnvironment {
  readonly #accounts = new Map<string, Account>();
  readonly #environment: NodeJS.ProcessEnv;
  /** The variables as they were before this object set them. */
  readonly #given: { readonly config: string | undefined; readonly cache: string | undefined };
  #directory: string | undefined;
  #entered = false;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
    this.#given = { config: environment['KRB5_CONFIG'], cache: environment['KRB5CCNAME'] };
  }

  /** @throws SpecError when a file cannot be read, or two clusters say different things of one realm */
  add({ name, principal, keytab, credential_cache, krb5_conf }: Account): void {
    const account = { name, principal, keytab, credential_cache, krb5_conf };
    const accounts = new Map(this.#accounts).set(name, account);
    if (keytab !== undefined) readKeytab(name, keytab);
    refuseDisagreement([...accounts.values()]);
    if (accounts.size > 1) {
      const unnamed = [...accounts.values()].find((other) => other.principal === undefined);
      const caches = new Set([...accounts.values()].map((other) => other.keytab ?? other.credential_cache ?? ''));
      if (unnamed && caches.size > 1) {
        throw new SpecError(`cluster ${unnamed.name}: principal: missing, and another cluster has other tickets`);
      }
    }
    this.#accounts.set(name, account);
    this.#entered = false;
  }

  /** Sets the variables that libkrb5 reads. To be called before each use of the library: it takes in tickets that were got meanwhile. */
  enter(): void {
    const accounts = [...this.#accounts.values()];
    if (!this.#entered) {
      this.#enterConfiguration(accounts);
      this.#enterKeytabs(accounts);
      this.#entered = true;
    }
    this.#enterCaches(accounts);
  }

  #enterConfiguration(accounts: readonly Account[]): void {
    const files = accounts.flatMap(({ krb5_conf }, index) => {
      if (krb5_conf === undefined) return [];
      if (!krb5_conf.includes('\n')) return [krb5_conf];
      return [this.#write(`krb5-${index}.conf`, krb5_conf)];
    });
    if (files.length === 0) return;
    // Of several configurations the first that sets a value wins.
    const usual = this.#given.config ?? (existsSync('/etc/krb5.conf') ? '/etc/krb5.conf' : undefined);
    const complete = accounts.every(({ krb5_conf }) => krb5_conf !== undefined);
    const all = [...files, ...(usual === undefined || complete ? [] : [usual])];
    this.#environment['KRB5_CONFIG'] = [...new Set(all)].join(':');
  }

  #enterKeytabs(accounts: readonly Account[]): void {
    const named = accounts.flatMap(({ name, keytab }) => (keytab === undefined ? [] : [{ name, keytab }]));
    const [first] = named;
    if (!first) return;
    const one = named.every(({ keytab }) => keytab === first.keytab);
    const merged = () => mergeKeytabs(named.map(({ name, keytab }) => readKeytab(name, keytab)));
    this.#environment['KRB5_CLIENT_KTNAME'] = one
      ? `FILE:${first.keytab}`
      : `FILE:${this.#write('client.keytab', merged())}`;
  }

  #enterCaches(accounts: readonly Account[]): void {
    const caches = [...new Set(accounts.map((account) => this.#cacheOf(account)))];
    const [only] = caches;
    if (caches.length === 1 && only !== undefined) {
      this.#environment['KRB5CCNAME'] = only;
      return;
    }
    if (caches.every((cache) => cache === undefined) && accounts.every(({ keytab }) => keytab === undefined)) return;
    const collection = join(this.#home(), 'tickets');
    mkdirSync(collection, { recursive: true, mode: 0o700 });
    for (const [index, cache] of caches.entries()) {
      const file = cache?.replace(/^FILE:/, '');
      if (file !== undefined && existsSync(file)) copyFileSync(file, join(collection, `tkt-${index}`));
    }
    this.#environment['KRB5CCNAME'] = `DIR:${collection}`;
  }

  /** Undefined for an account whose tickets come from its keytab. */
  #cacheOf({ keytab, credential_cache }: Account): string | undefined {
    if (keytab !== undefined) return undefined;
    return credential_cache ?? this.#given.cache ?? `FILE:/tmp/krb5cc_${process.getuid?.() ?? 0}`;
  }

  #write(name: string, content: string | Buffer): string {
    const file = join(this.#home(), name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  #home(): string {
    return (this.#directory ??= makeKerberosHome());
  }
}

export const kerberosEnvironment = new KerberosEnvironment(process.env);

/** A definition holds its krb5.conf, or the name of a file with it. */
function krb5ConfOf({ name, krb5_conf = '' }: Account): string {
  return krb5_conf.includes('\n') ? krb5_conf : readNamedFile(name, 'krb5_conf', krb5_conf).toString('utf8');
}

function refuseDisagreement(accounts: readonly Account[]): void {
  const said = new Map<string, { text: string; cluster: string }>();
  for (const account of accounts) {
    if (account.krb5_conf === undefined) continue;
    for (const [realm, definition] of realmsOf(krb5ConfOf(account))) {
      const before = said.get(realm);
      if (before && before.text !== definition) {
        throw new SpecError(
          `the krb5_conf of clusters ${before.cluster} and ${account.name} define the realm ${realm} differently`,
          'one process can follow only one of them: make them agree',
        );
      }
      said.set(realm, { text: definition, cluster: account.name });
    }
  }
}
