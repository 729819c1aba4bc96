// What a key management server of the bed sets, and how it comes to its keys. It believes any user.name.
import type { Properties } from './site.ts';

const all = (names: string, prefix: string): Properties =>
  Object.fromEntries(names.split(' ').map((name) => [`${prefix}.${name}`, '*']));

/** kms-site.xml */
export const kmsSettings = (port: number, home: string): Properties => ({
  'hadoop.kms.http.host': 'localhost',
  'hadoop.kms.http.port': String(port),
  'hadoop.kms.key.provider.uri': `jceks://file@${home}/keys.jceks`,
  'hadoop.kms.authentication.type': 'simple',
  'hadoop.http.max.threads': '50',
  ...all('hosts groups users', 'hadoop.kms.proxyuser.root'),
});

/** kms-acls.xml */
export const kmsAcls: Properties = {
  ...all(
    'CREATE DELETE ROLLOVER GET GET_KEYS GET_METADATA SET_KEY_MATERIAL GENERATE_EEK DECRYPT_EEK',
    'hadoop.kms.acl',
  ),
  ...all('MANAGEMENT GENERATE_EEK DECRYPT_EEK READ', 'default.key.acl'),
};

export const kmsFlags = (configuration: string, home: string): Record<string, string> => ({
  'kms.config.dir': configuration,
  'kms.log.dir': `${home}/log`,
  'kms.temp.dir': `${home}/temp`,
  // It refuses to start on a configuration of its logs that it did not find itself.
  'log4j.configuration': `file:${configuration}/kms-log4j.properties`,
});

/** For core-site.xml of a cluster. */
export const kmsClientSettings = (port: number): Properties => ({
  'hadoop.security.key.provider.path': `kms://http@localhost:${port}/kms`,
});

export const createKey = async (kmsUrl: string, name: string): Promise<void> => {
  const response = await fetch(`${kmsUrl}/v1/keys?user.name=root`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, cipher: 'AES/CTR/NoPadding', length: 128 }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`creating the key ${name}: ${kmsUrl} answers ${response.status}`);
};
