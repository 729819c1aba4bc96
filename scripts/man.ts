import type { Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };

/**
 * The manual page of the command line, in man(7)'s macros, out of the program's own help. The same program gives the same page: it holds no date.
 * @see https://man7.org/linux/man-pages/man7/groff_man.7.html
 */
export function manPage(program: Command): string {
  const sections = [
    `.TH HDFS\\-FANOUT 1 "" "hdfs\\-fanout ${escaped(packageJson.version)}" "User Commands"`,
    `.SH NAME\nhdfs\\-fanout \\- ${escaped(lowerFirst(program.description().replace(/\.$/, '')))}`,
    `.SH SYNOPSIS\n${program.commands.flatMap(leavesOf).map(synopsis).join('\n')}`,
    `.SH DESCRIPTION\n${escaped(program.description())}\nA command line that names no command is a copy.`,
    `.SH OPTIONS\n${optionsOf(program)}`,
    `.SH COMMANDS\n${program.commands.flatMap(leavesOf).map(section).join('\n')}`,
    `.SH "EXAMPLES AND EXIT CODES"\n${verbatim(behindHelp(program))}`,
    `.SH ENVIRONMENT\n${environment.map(([name, text]) => entry(bold(name), text)).join('\n')}`,
    `.SH FILES\n${files.map(([name, text]) => entry(bold(name), text)).join('\n')}`,
  ];
  return `${sections.join('\n')}\n`;
}

const environment = [
  ['HDFS_FANOUT_HOME', 'where this machine keeps its jobs; default: ~/.hdfs-fanout'],
  ['HDFS_FANOUT_STACK', 'the deployment in AWS of commands with --stack; default: HdfsFanout'],
  ['NO_COLOR', 'where it is set to anything, progress comes in plain lines, as where there is no terminal'],
  ['WEBHDFS_CONFIG', 'the cluster configuration; default: ~/.webhdfs.cfg'],
] as const;

const files = [
  ['~/.webhdfs.cfg', 'cluster configuration'],
  ['~/.hdfs-fanout', 'records, manifests and locks of the jobs of this machine'],
] as const;

/** A command, or those that it holds. One that does something itself stands before its own. */
function leavesOf(command: Command): readonly Command[] {
  const below = command.commands.flatMap(leavesOf);
  return below.length > 0 && !isDoing(command) ? below : [command, ...below];
}

/** Whether a command has arguments or options of its own. */
function isDoing(command: Command): boolean {
  return command.options.length > 0 || command.registeredArguments.length > 0;
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

function usageOf(command: Command): string {
  const operands = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return ['[options]', ...operands].join(' ');
}

function synopsis(command: Command): string {
  return `.PP\n${bold(nameOf(command))} ${escaped(usageOf(command))}`;
}

function section(command: Command): string {
  const operands = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => entry(bold(argument.name()), argument.description));
  const behind = command.name() === 'copy' ? '' : behindHelp(command);
  return [
    `.SS "${escaped(nameOf(command))} ${escaped(usageOf(command))}"`,
    escaped(command.description()),
    ...operands,
    optionsOf(command),
    ...(behind === '' ? [] : ['.PP', verbatim(behind)]),
  ].join('\n');
}

function optionsOf(command: Command): string {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => entry(bold(option.flags), tellsOf(command, option)))
    .join('\n');
}

/** As `--help` tells of it, with choices and default. */
function tellsOf(command: Command, option: Option): string {
  return command.createHelp().optionDescription(option);
}

/** What `--help` shows behind the options. */
function behindHelp(command: Command): string {
  let shown = '';
  const usual = { ...command.configureOutput() };
  command.configureOutput({ writeOut: (text) => (shown += text) });
  command.outputHelp();
  command.configureOutput(usual);
  return shown.slice(command.helpInformation().length).trim();
}

function entry(term: string, text: string): string {
  return `.TP\n${term}\n${escaped(text)}`;
}

function verbatim(text: string): string {
  return `.nf\n${text.split('\n').map(escaped).join('\n')}\n.fi`;
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** Text that holds no request: hyphens are those of commands, and a line begins with neither a dot nor a quote. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(
      /\P{ASCII}/gu,
      (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^\./gm, '\\&.');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
