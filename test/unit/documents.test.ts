import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { requestOf } from '../../cli/distcp.ts';
import { type JobFlags, specOf, type TreeFlags, verifySpecOf } from '../../cli/options.ts';
import { program } from '../../cli/program.ts';
import { locationsOf } from '../../shared/endpoints/location.ts';
import * as documented from '../support/documents.ts';

const { documents } = documented;

it('finds the documents', () => {
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/architecture.md', 'test/bed/README.md']));
});

describe.each(documents)('%s', (document) => {
  it('links to files and headings that exist', () => {
    const broken = documented.relativeLinksOf(document).filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? document : documented.resolved(document, path);
      if (!existsSync(join(documented.projectRoot, file))) return true;
      return anchor !== undefined && !documented.anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
    expect(documented.unknownLabelsOf(document)).toEqual([]);
  });
});

/** Results of benchmarks are written by programs. */
const written = documents.filter((document) => !document.startsWith('bench/results/'));

describe.each(written)('%s fits a page without scrolling:', (document) => {
  it('cells of its tables have at most 120 characters', () => {
    expect(documented.cellsOf(document).filter((cell) => documented.rendered(cell).length > 120)).toEqual([]);
  });

  it('lines of its code have at most 110 characters', () => {
    expect(documented.codeLinesOf(document).filter(({ length }) => length > 110)).toEqual([]);
  });
});

it('permissions.md names every WebHDFS operation that the code sends', () => {
  const sources = globSync('shared/{hdfs,doctor}/*.ts', { cwd: documented.projectRoot });
  const sent = sources.flatMap((file) => {
    const code = readFileSync(join(documented.projectRoot, file), 'utf8');
    return [...code.matchAll(/(?:'(?:GET|PUT|POST|DELETE)',|#put\(|isOff\()\s*'([A-Z_]+)'/g)].map(([, name]) => name);
  });
  expect(sent).toEqual(expect.arrayContaining(['OPEN', 'SETACL', 'LISTXATTRS', 'RENEWDELEGATIONTOKEN']));
  const permissions = documented.textOf('docs/permissions.md');
  expect([...new Set(sent)].filter((name) => !permissions.includes(`\`${name}\``))).toEqual([]);
});

const shown = written.filter((document) => document !== 'CHANGELOG.md').map(documented.textOf);
const help = [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)].map(helpOf);
const commands = [...shown, ...help].flatMap(documented.commandsIn).map((words) => words.join(' '));

it('finds the commands that documents and help show', () => {
  expect(commands.length).toBeGreaterThan(40);
  expect(commands).toContain('doctor prod --read-only --json');
});

it.each([...new Set(commands)])('the command line takes: hdfs-fanout %s', async (command) => {
  await expect(parsed(command.split(' '))).resolves.toBe(true);
});

it('would notice a command that is refused', async () => {
  await expect(parsed(['copy', '--no-such-flag', 'a:/in', 'b:/out'])).rejects.toThrow('--no-such-flag');
  await expect(parsed(['copy', 'a:/in', '/out'])).rejects.toThrow('cluster:/path');
  await expect(parsed(['distcp', '-atomic', 'hdfs://a/in', 'hdfs://b/out'])).rejects.toThrow('-atomic');
  await expect(parsed(['doctor', 'prod:/'])).rejects.toThrow('alias');
  await expect(parsed(['verify', 'a:/in', '/out'])).rejects.toThrow('cluster:/path');
});

/** The help of a command, with its examples as a block of code. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return `\`\`\`\n${text.replace(/^ +/gm, '')}\n\`\`\`\n`;
}

/** Reads a command as the command line does, without running it. */
async function parsed(words: readonly string[]): Promise<true> {
  const check = (command: Command) => {
    for (const child of command.commands) check(child);
    command.exitOverride();
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined, outputError: () => undefined });
    // jobs alone does something besides holding another.
    if (command.commands.length === 0 || command.name() === 'jobs') command.action(() => requireSense(command));
  };
  check(program);
  await program.parseAsync(words, { from: 'user' });
  return true;
}

/** Placeholders in capital letters stand for anything. */
function requireSense(command: Command): void {
  const operands = command.args.filter((operand) => !/^[A-Z]+$/.test(operand));
  if (command.name() === 'doctor' && /[:/]/.test(operands[0] ?? '')) throw new Error('an alias stands before PATH');
  if (command.name() === 'verify' && operands.length > 0) {
    const [source = '', destination = ''] = operands;
    locationsOf(verifySpecOf(source, destination, command.opts<TreeFlags>()));
  }
  if (command.name() === 'distcp' && operands.length > 0) {
    requestOf(command.args, program.commands.find((one) => one.name() === 'copy') ?? command);
  }
  if (!['copy', 'start'].includes(command.name()) || operands.length < 2) return;
  locationsOf(specOf(operands, command.opts<JobFlags>()));
}
