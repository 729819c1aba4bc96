// The programs that some beds need beside a JDK and Maven: a Kerberos realm, certificates, shells. Installed where that may be.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram } from './tools.ts';

/** Each program, and the package of Debian and Ubuntu that has it. */
const packageOf = {
  krb5kdc: 'krb5-kdc',
  kdb5_util: 'krb5-kdc',
  'kadmin.local': 'krb5-admin-server',
  kinit: 'krb5-user',
  ktutil: 'krb5-user',
  curl: 'curl',
  'krb5-config': 'libkrb5-dev',
  'g++': 'g++',
  make: 'make',
  python3: 'python3',
  openssl: 'openssl',
  zsh: 'zsh',
  fish: 'fish',
  groff: 'groff-base',
  chromium: 'chromium',
} as const;

export type SystemProgram = keyof typeof packageOf;

export const kerberosPrograms: readonly SystemProgram[] = ['krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit', 'curl'];

/** What npm builds the package `kerberos` with. */
export const addonPrograms: readonly SystemProgram[] = ['krb5-config', 'g++', 'make', 'python3'];

/** Where a KDC's programs are, which an ordinary user's PATH leaves out. */
const administration = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

const find = (program: string): string | undefined => {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...administration];
  return places
    .map((place) => join(place, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
};

/** @throws an error that names the package, if there is no such program */
export const systemProgram = (program: SystemProgram): string => {
  const path = find(program);
  if (path === undefined) throw new Error(`${program} not found: install the package ${packageOf[program]}`);
  return path;
};

/** @returns why nothing was installed, or nothing */
const install = async (packages: string[]): Promise<string> => {
  if (find('apt-get') === undefined) return 'there is no apt-get here';
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = async (...args: string[]): Promise<string> => {
    // Another test run may be installing too.
    const command = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-qq',
      '-o',
      'DPkg::Lock::Timeout=300',
    ];
    const [program = 'env', ...rest] = [...command, ...args];
    try {
      const { code, stderr } = await runProgram(program, rest);
      return code === 0 ? '' : `apt-get ${args[0]} ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  await apt('update');
  return apt('install', '-y', '--no-install-recommends', ...packages);
};

const missing = (programs: readonly SystemProgram[]): string[] => [
  ...new Set(programs.filter((program) => find(program) === undefined).map((program) => packageOf[program])),
];

/** Installs what is missing if that is possible without a question (as root, or with sudo -n); else fails in one line. */
export const requirePrograms = async (programs: readonly SystemProgram[]): Promise<void> => {
  if (missing(programs).length === 0) return;
  const trouble = await install(missing(programs));
  const left = missing(programs).join(' ');
  if (left !== '') throw new Error(`this test bed needs ${left}, and ${trouble}: apt-get install ${left}`);
};
