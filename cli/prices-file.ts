import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Prices, usEast1 } from '../shared/cost/prices.ts';
import { messageOf, SpecError } from '../shared/errors.ts';
import { issuesOf } from '../shared/issues.ts';

const dollars = z.number().min(0);

const schema = z.strictObject({
  region: z.string().min(1),
  asOf: z.string().min(1),
  lambdaGbSecond: z.strictObject({ arm64: dollars, x64: dollars }).partial().optional(),
  lambdaRequest: dollars.optional(),
  stateTransition: dollars.optional(),
  dynamoWrite: dollars.optional(),
  dynamoRead: dollars.optional(),
  s3Put: dollars.optional(),
  s3Get: dollars.optional(),
  transitGatewayGb: dollars.optional(),
  natGatewayGb: dollars.optional(),
});

/** Prices of another region, or of a contract: what the file leaves out is as in us-east-1. @throws SpecError */
export function pricesIn(file: string): Prices {
  const parsed = schema.safeParse(read(file));
  if (!parsed.success) throw new SpecError(`--prices: ${file} is wrong: ${issuesOf(parsed.error)}`);
  const { lambdaGbSecond, ...given } = parsed.data;
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { arm64 = usEast1.lambdaGbSecond.arm64, x64 = usEast1.lambdaGbSecond.x64 } = lambdaGbSecond ?? {};
  return { ...usEast1, ...set, lambdaGbSecond: { arm64, x64 } };
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SpecError(`--prices: ${file} cannot be read: ${messageOf(error)}`, undefined, error);
  }
}
