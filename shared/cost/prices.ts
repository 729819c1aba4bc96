/** What AWS charges, in US dollars. */
export interface Prices {
  /** Of which region these are. */
  readonly region: string;
  /** When they were looked up. */
  readonly asOf: string;
  /** A GB-second of a Lambda, by its architecture as Node names it. */
  readonly lambdaGbSecond: { readonly arm64: number; readonly x64: number };
  readonly lambdaRequest: number;
  /** Of a standard workflow. */
  readonly stateTransition: number;
  /** On demand: a write and a read request unit. */
  readonly dynamoWrite: number;
  readonly dynamoRead: number;
  /** PUT, POST, LIST and parts of uploads; GET and all others. */
  readonly s3Put: number;
  readonly s3Get: number;
  /** A GB on one leg of the network. */
  readonly transitGatewayGb: number;
  readonly natGatewayGb: number;
}

/**
 * On demand, without free tiers or discounts.
 * @see https://aws.amazon.com/lambda/pricing/
 * @see https://aws.amazon.com/step-functions/pricing/
 * @see https://aws.amazon.com/dynamodb/pricing/on-demand/
 * @see https://aws.amazon.com/s3/pricing/
 * @see https://aws.amazon.com/transit-gateway/pricing/
 * @see https://aws.amazon.com/vpc/pricing/
 */
export const usEast1: Prices = {
  region: 'us-east-1',
  asOf: 'November 2026',
  lambdaGbSecond: { arm64: 0.000_013_333_4, x64: 0.000_016_666_7 },
  lambdaRequest: 0.000_000_2,
  stateTransition: 0.000_025,
  dynamoWrite: 0.000_000_625,
  dynamoRead: 0.000_000_125,
  s3Put: 0.000_005,
  s3Get: 0.000_000_4,
  transitGatewayGb: 0.02,
  natGatewayGb: 0.045,
};
