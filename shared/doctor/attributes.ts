import type { Context } from './context.ts';
import { type Finding, warning } from './row.ts';
import { hasCode } from '../storage/errors.ts';

/** Time for all requests of this check. */
const ATTRIBUTES_MS = 3000;

/**
 * What a copy with --preserve cannot carry to or from this cluster, since it is switched off there. Asks and changes nothing, and
 * reports only what is missing.
 */
export async function attributes(context: Context): Promise<void> {
  const { serving } = context;
  if (typeof serving === 'string' || !serving.directory) return;
  const { endpoint, path } = serving;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(ATTRIBUTES_MS)]);
  const isOff = async (operation: string, setting: string): Promise<boolean> => {
    try {
      await endpoint.ask('GET', operation, path, {}, signal);
      return false;
    } catch (error) {
      return hasCode(error, 'unsupported') && error instanceof Error && error.message.includes(setting);
    }
  };
  const [acls, xattrs, checksums] = await Promise.all([
    isOff('GETACLSTATUS', 'dfs.namenode.acls.enabled'),
    isOff('LISTXATTRS', 'dfs.namenode.xattrs.enabled'),
    keepsNoChecksums(context, signal),
  ]);
  const report = (name: 'ACL' | 'xattr' | 'checksum', finding: Finding) => context.report(name, endpoint.host, finding);
  if (acls) {
    const remedy = 'files with an ACL get a mode that gives nobody more, and a warning';
    report('ACL', warning('off: dfs.namenode.acls.enabled is false', remedy));
  }
  if (xattrs) {
    const remedy = 'extended attributes are left out, with a warning';
    report('xattr', warning('off: dfs.namenode.xattrs.enabled is false', remedy));
  }
  if (checksums) {
    report('checksum', warning('none: dfs.checksum.type is NULL', 'copies are verified by reading them again'));
  }
}

/** @see Hadoop DataChecksum.Type: 0 is NULL */
async function keepsNoChecksums({ serving }: Context, signal: AbortSignal): Promise<boolean> {
  if (typeof serving === 'string') return false;
  try {
    const { text } = await serving.endpoint.ask('GET', 'GETSERVERDEFAULTS', serving.path, {}, signal);
    return /"checksumType"\s*:\s*0\b/.test(text);
  } catch {
    return false;
  }
}
