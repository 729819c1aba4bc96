import { hostname, userInfo } from 'node:os';

/** `user@host` of whoever runs this process. */
export function whoIAm(): string {
  return `${userName()}@${hostname()}`;
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
