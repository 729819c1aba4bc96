import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readConfig } from '../../infra/config.ts';
import type { HdfsFanoutProps } from '../../infra/hdfs-fanout.ts';
import { HdfsFanoutStack } from '../../infra/stack.ts';
import { lambdaNames } from '../../shared/names.ts';

/** The deployment file that the documentation shows. */
export const example = join(import.meta.dirname, '../../infra/example.json');

/** What would be deployed. */
export class Deployed {
  readonly app = new App();
  readonly stack: HdfsFanoutStack;
  readonly #changes: Partial<HdfsFanoutProps>;
  #template: Template | undefined;

  /** @param changes  to the example */
  constructor(changes: Partial<HdfsFanoutProps> = {}) {
    this.#changes = changes;
    const { props } = readConfig(example);
    const functionsDirectory = stubs();
    this.stack = new HdfsFanoutStack(this.app, 'HdfsFanout', { ...props, functionsDirectory, ...this.#changes });
  }

  get template(): Template {
    return (this.#template ??= Template.fromStack(this.stack));
  }

  resources(type: string): Record<string, Record<string, unknown>> {
    const found = this.template.findResources(type) as Record<string, { Properties: Record<string, unknown> }>;
    return Object.fromEntries(Object.entries(found).map(([id, { Properties }]) => [plain(id), Properties]));
  }

  /** What a role may do, one line a statement: actions, resources, condition. */
  rightsOf(role: string): string[] {
    const rights: string[] = [];
    for (const policy of Object.values(this.resources('AWS::IAM::Policy'))) {
      if (!(policy['Roles'] as unknown[]).map((one) => flat(one)).includes(role)) continue;
      const { Statement } = policy['PolicyDocument'] as { Statement: Record<string, unknown>[] };
      rights.push(...Statement.map(rightOf));
    }
    return rights.sort();
  }

  /** The state machine as Step Functions gets it, with names for what only AWS knows. */
  get definition(): Definition {
    const [machine] = Object.values(this.resources('AWS::StepFunctions::StateMachine'));
    return JSON.parse(flat(machine?.['DefinitionString'], arnOf)) as Definition;
  }
}

/** Two clusters, of which `prod` uses Kerberos. */
export function withKerberos(changes: Partial<HdfsFanoutProps> = {}): Deployed {
  const clusters = {
    staging: {},
    prod: { definition: 'hadoop/prod/definition', credential: 'hadoop/prod/credential', kerberos: true },
  };
  return new Deployed({ clusters, kerberosLayerArn, ...changes });
}

export const kerberosLayerArn = 'arn:aws:lambda:us-east-1:000000000000:layer:kerberos:3';

export type Retry = { readonly ErrorEquals: string[]; readonly MaxAttempts: number } & Record<string, unknown>;

export interface State extends Record<string, unknown> {
  readonly Type: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: Retry[];
  readonly Catch?: { readonly ErrorEquals: string[]; readonly ResultPath?: string; readonly Next: string }[];
}

export interface Definition {
  readonly StartAt: string;
  readonly States: Record<string, State>;
}

/** A value of a template as text, with `<Name>` for references. */
export function flat(value: unknown, reference = (name: string) => `<${name}>`): string {
  if (typeof value === 'string') return value;
  const token = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (token.Ref !== undefined) return reference(plain(token.Ref));
  if (token['Fn::GetAtt'])
    return reference([plain(token['Fn::GetAtt'][0] ?? ''), ...token['Fn::GetAtt'].slice(1)].join('.'));
  const [separator, parts] = token['Fn::Join'] ?? ['', []];
  return parts.map((part) => flat(part, reference)).join(separator);
}

/** A logical id without what CDK puts around our own names. */
function plain(id: string): string {
  return id.replace(/^Fanout/, '').replace(/[0-9A-F]{8}$/, '');
}

function arnOf(name: string): string {
  if (name === 'AWS::Partition') return 'aws';
  return name.endsWith('.Arn') ? `arn:aws:lambda:us-east-1:000000000000:function:${name.slice(0, -4)}` : name;
}

function rightOf({ Effect, Action, Resource, Condition }: Record<string, unknown>): string {
  if (Effect !== 'Allow') throw new Error(`a statement with ${String(Effect)}`);
  const list = (value: unknown, text: (one: unknown) => string) => [value].flat().map(text).join(' ');
  const condition = Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`;
  return `${list(Action, String)} on ${list(Resource, (one) => flat(one))}${condition}`;
}

/** Bundles stand in for those that scripts/build.ts makes: a template does not depend on what is in them. */
function stubs(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-functions-'));
  for (const name of lambdaNames) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'index.mjs'), `export const handler = () => '${name}';\n`);
  }
  return directory;
}
