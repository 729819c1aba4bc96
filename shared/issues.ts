import type { z } from 'zod';

/** `clusters[0].nameservices[1].urls: …; …`, without the values, since they may be secrets. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${fieldOf(issue.path) || 'the document'}: ${issue.message}`).join('; ');
}

function fieldOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += text ? `.${String(key)}` : String(key);
  }
  return text;
}
