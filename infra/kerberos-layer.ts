import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/** Amazon Linux 2023, which Lambda's Node 24 runs on: https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html */
const system = { GLIBC: '2.34', GLIBCXX: '3.4.29' } as const;

/** Version of the addon, as in package.json, which the bundled construct does not have beside it. */
export const VERSION = '7.0.0';
const image = 'public.ecr.aws/lambda/nodejs:24';
const libraries =
  'libgssapi_krb5.so.2 libkrb5.so.3 libk5crypto.so.3 libkrb5support.so.0 libcom_err.so.2 libkeyutils.so.1';

/** Makes the layer in a container: the addon is built, since its package has no binary, and the system's libraries are copied. */
const script = [
  'set -e',
  'dnf install -y -q gcc-c++ make python3 krb5-devel',
  `npm install --silent --no-save --prefix /tmp/made kerberos@${VERSION}`,
  'mkdir -p /asset-output/nodejs/node_modules/kerberos/build/Release /asset-output/lib',
  'cd /tmp/made/node_modules/kerberos',
  'cp -r package.json LICENSE lib /asset-output/nodejs/node_modules/kerberos/',
  'cp build/Release/kerberos.node /asset-output/nodejs/node_modules/kerberos/build/Release/',
  `for name in ${libraries} libselinux.so.1 libpcre2-8.so.0; do [ ! -e /usr/lib64/$name ] || cp -L /usr/lib64/$name /asset-output/lib/; done`,
].join('\n');

/**
 * The addon `kerberos` and libkrb5, for the Lambdas that log in. From this machine when what is installed here runs on
 * Lambda, otherwise built in Docker.
 */
export function kerberosLayer(scope: Construct, id: string, architecture: lambda.Architecture): lambda.ILayerVersion {
  const source = mkdtempSync(join(tmpdir(), 'hdfs-fanout-layer-'));
  const tryBundle = (directory: string): boolean => {
    const reason = copyInstalled(directory, architecture);
    if (reason === undefined) return true;
    if (hasDocker()) return false;
    throw new Error(
      `the Kerberos layer cannot be made from what is installed here: ${reason}; start Docker, in which it is built, ` +
        'or name a layer made elsewhere (kerberosLayerArn)',
    );
  };
  return new lambda.LayerVersion(scope, id, {
    description: `hdfs-fanout: kerberos ${VERSION} and libkrb5`,
    compatibleRuntimes: [lambda.Runtime.NODEJS_24_X],
    compatibleArchitectures: [architecture],
    code: lambda.Code.fromAsset(source, {
      // What was built tells one version of the layer from another.
      assetHashType: AssetHashType.OUTPUT,
      bundling: {
        image: DockerImage.fromRegistry(image),
        platform: architecture.dockerPlatform,
        user: 'root',
        entrypoint: ['bash'],
        command: ['-c', script],
        local: { tryBundle },
      },
    }),
  });
}

/** Lays the installed addon and its libraries out as a layer. @returns why that cannot be; undefined when it was done */
export function copyInstalled(directory: string, architecture: lambda.Architecture): string | undefined {
  const own = { x64: 'x86_64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (own !== architecture.name) return `this machine is ${own}, and the Lambdas are ${architecture.name}`;
  const found = mappedByAddon();
  if (found === undefined) return 'the package kerberos does not load (npm install kerberos)';
  const { addon, shared } = found;
  for (const file of [addon, ...shared]) {
    const reason = tooNew(file);
    if (reason !== undefined) return reason;
  }
  const root = dirname(dirname(dirname(addon)));
  const target = join(directory, 'nodejs/node_modules/kerberos');
  mkdirSync(join(target, 'build/Release'), { recursive: true });
  for (const name of ['package.json', 'LICENSE', 'lib'])
    cpSync(join(root, name), join(target, name), { recursive: true });
  copyFileSync(addon, join(target, 'build/Release', basename(addon)));
  mkdirSync(join(directory, 'lib'));
  for (const file of shared) copyFileSync(file, join(directory, 'lib', basename(file).replace(/(\.so\.\d+).*$/, '$1')));
  return undefined;
}

/** Libraries that are part of Lambda's own system. */
const systems = /^(?:ld-linux.*|lib(?:c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+))[.-]/;

/** Which files a process maps to load the addon. @returns undefined when it does not load */
function mappedByAddon(): { readonly addon: string; readonly shared: readonly string[] } | undefined {
  const own = createRequire(import.meta.url);
  const program = `
    const maps = () => new Set(require('node:fs').readFileSync('/proc/self/maps', 'utf8').match(/\\/.*$/gm));
    const before = maps();
    require(process.argv[1]);
    console.log(JSON.stringify([...maps()].filter((file) => !before.has(file))));`;
  try {
    const args = ['-e', program, own.resolve('kerberos')];
    const text = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const files = (JSON.parse(text) as string[]).map((file) => realpathSync(file));
    const addon = files.find((file) => file.endsWith('kerberos.node'));
    const shared = files.filter((file) => /\.so(?:\.|$)/.test(file) && !systems.test(basename(file)));
    return addon === undefined ? undefined : { addon, shared };
  } catch {
    return undefined;
  }
}

/** Why Lambda cannot load a file: it imports names of a newer C or C++ library than Lambda has. */
function tooNew(file: string): string | undefined {
  const text = readFileSync(file, 'latin1');
  for (const [library, has] of Object.entries(system)) {
    for (const [, version = ''] of text.matchAll(new RegExp(`\\b${library}_(\\d+(?:\\.\\d+)+)\\b`, 'g'))) {
      if (isNewer(version, has)) return `${file} needs ${library} ${version}, and Lambda has ${has}`;
    }
  }
  return undefined;
}

export function isNewer(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) > 0;
}

function hasDocker(): boolean {
  return spawnSync(process.env['CDK_DOCKER'] ?? 'docker', ['info'], { stdio: 'ignore' }).status === 0;
}
