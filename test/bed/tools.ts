// The programs the bed needs from the machine: a JDK and Maven.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export type Tool = 'java' | 'javac' | 'jar' | 'mvn';

const hint =
  'the test bed needs a JDK 17 or later and Maven (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless maven)';

/** Maven finds the JDK through JAVA_HOME, so the JDK's own programs are taken from there too. */
export const toolPath = (tool: Tool): string => {
  const home = process.env['JAVA_HOME'];
  return home && tool !== 'mvn' ? join(home, 'bin', tool) : tool;
};

export const missingTool = (tool: string, problem = 'not found'): Error => new Error(`${tool} ${problem}: ${hint}`);

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and collects what it says; rejects only if it cannot be started. */
export const runProgram = (
  program: string,
  args: readonly string[],
  { input, ...options }: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string } = {},
): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', env: process.env, ...options });
    child.stdin.on('error', () => undefined); // it has read enough
    child.stdin.end(input);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? 1, stdout, stderr });
    });
  });

export const runTool = async (
  tool: Tool,
  args: string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> => {
  try {
    return await runProgram(toolPath(tool), args, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missingTool(toolPath(tool));
    throw error;
  }
};

/** Without Maven's colours, empty lines and advice on how to run Maven. */
const meaningful = (output: string): string[] => {
  const lines = output.replaceAll(/\u001b\[[\d;]*m/g, '').split('\n');
  return lines.filter((line) => !/^(\[ERROR\])?\s*$|e-run Maven|For more information|\[Help \d\] http/.test(line));
};

export const runToolOrFail = async (tool: Tool, args: string[], doing: string): Promise<Outcome> => {
  const outcome = await runTool(tool, args);
  if (outcome.code === 0) return outcome;
  const said = meaningful(`${outcome.stdout}\n${outcome.stderr}`).slice(-20).join('\n');
  throw new Error(`${doing} failed (${tool} exited with ${outcome.code})\n${said}`);
};

const leastJava = 17;

/** Fails in one line that names what to install. */
export const requireTools = async (tools: Tool[]): Promise<void> => {
  const missing: string[] = [];
  for (const tool of tools) {
    try {
      const { stdout, stderr } = await runTool(tool, ['-version']);
      const major = /(?:version "|javac )(\d+)/.exec(stderr + stdout)?.[1];
      if (tool !== 'mvn' && major !== undefined && Number(major) < leastJava) {
        throw missingTool(toolPath(tool), `is version ${major}`);
      }
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('not found')) throw error;
      missing.push(toolPath(tool));
    }
  }
  if (missing.length > 0) throw missingTool(missing.join(', '));
};
