import { CommanderError } from 'commander';
import { removeKerberosLeftovers } from '../shared/hdfs/kerberos-leftovers.ts';
import { COMPLETE, complete } from './completion.ts';
import { explain } from './exit-codes.ts';
import { guardOutput, printError } from './output.ts';
import { program } from './program.ts';

/** Taken from the raw arguments, since an error may come before flags are read: with --json stdout holds objects alone. */
const json = process.argv.includes('--json');
guardOutput();
// An error in work that nobody awaits is a bug. It too ends the process with one line.
process.on('uncaughtException', (error) => {
  const { message, code } = explain(error);
  printError(message, json);
  process.exit(code);
});
removeKerberosLeftovers();

try {
  if (process.argv[2] === COMPLETE) await complete(program, process.argv.slice(3));
  else await program.parseAsync();
} catch (error) {
  // Commander throws with code 0 when it has printed help or version.
  if (!(error instanceof CommanderError && error.exitCode === 0)) {
    const { message, code } = explain(error);
    printError(message, json);
    process.exitCode = code;
  }
}
