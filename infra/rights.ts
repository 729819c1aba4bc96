import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';

/** One thing that a role may do, and nothing beside it. */
export interface Right {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Why a resource ends in a wildcard. Said to cdk-nag for exactly these resources: any other wildcard is still a finding. */
  readonly because?: string;
}

export function allow(grantee: iam.Role | iam.Policy, { actions, resources, conditions, because }: Right): void {
  const statement = new iam.PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions ? { conditions } : {}),
  });
  if (grantee instanceof iam.Policy) grantee.addStatements(statement);
  else grantee.addToPrincipalPolicy(statement);
  if (because === undefined) return;
  for (const resource of resources) {
    const flat = flatten(Stack.of(grantee).resolve(resource));
    Validations.of(grantee).acknowledge({ id: `AwsSolutions-IAM5[Resource::${flat}]`, reason: because });
  }
}

/** A resource as cdk-nag spells it: `<LogicalId.Arn>/path/*`. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (reference.Ref !== undefined) return `<${reference.Ref}>`;
  if (reference['Fn::GetAtt']) return `<${reference['Fn::GetAtt'].join('.')}>`;
  const [separator, parts] = reference['Fn::Join'] ?? ['', []];
  return parts.map(flatten).join(separator);
}
