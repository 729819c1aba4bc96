import { z } from 'zod';
import { examine, examinedPath } from '../doctor/doctor.ts';
import type { Row } from '../doctor/row.ts';
import { Logins } from './logins.ts';
import type { Services } from './services.ts';

export const doctorRequest = z.strictObject({
  /** Alias. */
  cluster: z.string().min(1),
  path: z.string().min(1).optional(),
  readOnly: z.boolean().default(false),
});
export type DoctorRequest = z.input<typeof doctorRequest>;

/** Looks at a cluster of the deployment with the credential that a job would begin with. @throws SpecError */
export async function doctorStep(
  { cluster: alias, path, readOnly }: z.output<typeof doctorRequest>,
  services: Pick<Services, 'secrets' | 'log'>,
  signal: AbortSignal,
): Promise<{ readonly rows: readonly Row[] }> {
  await using logins = new Logins(services);
  const cluster = await logins.clusterOf(alias);
  const rows: Row[] = [];
  await examine({ cluster, path: examinedPath(cluster, path), readOnly }, signal, (row) => void rows.push(row));
  return { rows };
}
