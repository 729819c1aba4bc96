import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf, SpecError } from '../errors.ts';
import { type Element, elementOf } from './xml.ts';

/** Hadoop's own names for what it called otherwise before: org.apache.hadoop.conf.Configuration, HdfsConfiguration. */
const RENAMED: Readonly<Record<string, string>> = {
  'fs.default.name': 'fs.defaultFS',
  'dfs.federation.nameservices': 'dfs.nameservices',
  'dfs.http.address': 'dfs.namenode.http-address',
  'dfs.https.address': 'dfs.namenode.https-address',
};

/** As Hadoop: a value may name others, which may name others. */
const MOST_SUBSTITUTIONS = 20;
/** Files that include each other. */
const MOST_INCLUDES = 20;

interface Property {
  readonly value: string;
  readonly isFinal: boolean;
}

/** What the files of a configuration directory set. Values are as Hadoop reads them: `${…}` is replaced, a final value stays. */
export class HadoopConfiguration {
  readonly #properties: ReadonlyMap<string, Property>;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(properties: ReadonlyMap<string, Property>, environment: NodeJS.ProcessEnv) {
    this.#properties = properties;
    this.#environment = environment;
  }

  /** Undefined where it is not set, or empty. @throws SpecError when it names what nothing sets */
  get(name: string): string | undefined {
    const value = this.#properties.get(name)?.value;
    return value === undefined ? undefined : this.#expanded(name, value).trim() || undefined;
  }

  /** The parts of a value between commas. */
  list(name: string): readonly string[] {
    const parts = this.get(name)?.split(',') ?? [];
    return parts.map((part) => part.trim()).filter((part) => part !== '');
  }

  /** What is set under a prefix, by the rest of its name. */
  below(prefix: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const name of this.#properties.keys()) {
      const value = name.startsWith(prefix) ? this.get(name) : undefined;
      if (value !== undefined) found.set(name.slice(prefix.length), value);
    }
    return found;
  }

  #expanded(name: string, value: string): string {
    let text = value;
    for (let times = 0; times < MOST_SUBSTITUTIONS; times++) {
      const variable = /\$\{([^}$\s]+)\}/.exec(text);
      if (!variable) return text;
      const [whole, inner = ''] = variable;
      const found = inner.startsWith('env.')
        ? this.#fromEnvironment(inner.slice(4))
        : this.#properties.get(inner)?.value;
      if (found === undefined) {
        throw new SpecError(`${name} is "${value}", and nothing here sets ${inner}`, 'write the value itself');
      }
      text = text.slice(0, variable.index) + found + text.slice(variable.index + whole.length);
    }
    throw new SpecError(`${name} is "${value}", which names itself`, 'write the value itself');
  }

  /** `NAME`, `NAME-default` where it is not set, `NAME:-default` also where it is empty. */
  #fromEnvironment(text: string): string | undefined {
    const [, name = '', operator, otherwise] = /^(\w+)(?:(:?-)(.*))?$/.exec(text) ?? [];
    const value = this.#environment[name];
    return value === undefined || (operator === ':-' && value === '') ? otherwise : value;
  }
}

/**
 * Reads a client's configuration as org.apache.hadoop.conf.Configuration does: one file after the other, later values win but over final
 * ones, and `xi:include` is followed on this machine's disk.
 *
 * @param files  names in the directory; one that is not there sets nothing
 * @returns undefined where none of them is there
 * @throws SpecError when one cannot be read
 */
export function readConfiguration(
  directory: string,
  files: readonly string[],
  environment: NodeJS.ProcessEnv,
): HadoopConfiguration | undefined {
  const present = files.map((file) => join(directory, file)).filter((file) => existsSync(file));
  if (present.length === 0) return undefined;
  const properties = new Map<string, Property>();
  for (const file of present) readFile(file, properties, 0);
  return new HadoopConfiguration(properties, environment);
}

function readFile(file: string, properties: Map<string, Property>, depth: number): void {
  if (depth > MOST_INCLUDES) throw new SpecError(`${file} includes itself`, 'correct its xi:include');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SpecError(`cannot read ${file}: ${messageOf(error)}`, 'correct its permissions', error);
  }
  const root = elementOf(text, file);
  if (root.name !== 'configuration') throw new SpecError(`${file} is no configuration: it is <${root.name}>`);
  readElements(file, root.children, properties, depth);
}

function readElements(
  file: string,
  elements: readonly Element[],
  properties: Map<string, Property>,
  depth: number,
): void {
  for (const element of elements) {
    switch (element.name) {
      case 'configuration':
        readElements(file, element.children, properties, depth);
        break;
      case 'include':
        include(file, element, properties, depth);
        break;
      case 'property':
        keep(element, properties);
        break;
    }
  }
}

/** What is not on this machine is an error, unless the include says what to read in its place. */
function include(file: string, element: Element, properties: Map<string, Property>, depth: number): void {
  const href = element.attributes.get('href') ?? '';
  const path = href.replace(/^file:(?:\/\/)?/, '');
  const target = resolve(dirname(file), path);
  if (path !== '' && !/^\w+:/.test(path) && existsSync(target)) return readFile(target, properties, depth + 1);
  const fallback = element.children.find(({ name }) => name === 'fallback');
  if (!fallback) throw new SpecError(`${file} includes ${href}, which is not there`, 'copy it there');
  readElements(file, fallback.children, properties, depth);
}

/** Each part of a property is an element of its own, or an attribute. */
function keep({ children, attributes }: Element, properties: Map<string, Property>): void {
  const part = (wanted: string) => children.find(({ name }) => name === wanted)?.text ?? attributes.get(wanted);
  const name = part('name')?.trim() ?? '';
  const key = RENAMED[name] ?? name;
  if (key === '' || properties.get(key)?.isFinal === true) return;
  properties.set(key, { value: part('value') ?? '', isFinal: part('final')?.trim() === 'true' });
}
