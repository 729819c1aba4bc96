import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const projectRoot = join(import.meta.dirname, '../..');

/** Every Markdown file of the project, by its path from the root. */
export const documents = globSync(['*.md', 'docs/**/*.md', 'bench/**/*.md', 'test/**/*.md'], {
  cwd: projectRoot,
}).sort();

export function textOf(document: string): string {
  return readFileSync(join(projectRoot, document), 'utf8');
}

/** A document's text without its blocks and spans of code, in which nothing is a link or a heading. */
export function proseOf(document: string): string {
  return textOf(document)
    .replace(/^```[^]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]]/g, ' '));
}

/** The targets of a document's relative links, `../a.md#part` as they are written, in the text or behind a label at its end. */
export function relativeLinksOf(document: string): string[] {
  const links = proseOf(document).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm);
  const targets = [...links].map(([, target, labelled]) => target ?? labelled ?? '');
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Labels in the cells of a document's tables, `[tree]`, that stand for no link. */
export function unknownLabelsOf(document: string): string[] {
  const known = new Set([...proseOf(document).matchAll(/^\[([^\]]+)\]: \S+$/gm)].map(([, label]) => label));
  const labels = cellsOf(document).flatMap((cell) => [...cell.replace(/`[^`]*`/g, '').matchAll(/\[([^\]]+)\](?!\()/g)]);
  return labels.map(([, label = '']) => label).filter((label) => !known.has(label));
}

/** The anchors that GitHub gives to a document's headings. */
export function anchorsOf(document: string): string[] {
  const headings = [...proseOf(document).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The cells of a document's tables, without the white space around them. */
export function cellsOf(document: string): string[] {
  const rows = textOf(document).match(/^\|(?! *[-:]+ *\|).*\|$/gm) ?? [];
  return rows.flatMap((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

/** A cell as it is rendered: links show their text alone. */
export function rendered(cell: string): string {
  return cell.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
}

/** The lines of a document's blocks of code. */
export function codeLinesOf(document: string): string[] {
  return blocksIn(textOf(document)).flatMap((block) => block.split('\n'));
}

function blocksIn(text: string): string[] {
  return [...text.matchAll(/^```\w*\n([^]*?)^```/gm)].map(([, block = '']) => block);
}

/** The commands that a text shows, in blocks and in spans of code, as arguments behind `hdfs-fanout`. */
export function commandsIn(text: string): string[][] {
  const lines = blocksIn(text).flatMap((block) => block.replace(/\\\n */g, '').split('\n'));
  const spans = [...text.replace(/^```[^]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return [...lines, ...spans].flatMap((line) => {
    const [, command] = /^(?:npx )?hdfs-fanout((?: |\n)[^]+)$/.exec(line.trim()) ?? [];
    return command === undefined || command.includes('…') ? [] : [wordsOf(command)];
  });
}

/** Splits a line as a shell does that knows quotes and comments. */
function wordsOf(line: string): string[] {
  const words = line.replace(/\s#.*$/, '').match(/(?:'[^']*'|[^\s'])+/g) ?? [];
  return words.map((word) => word.replaceAll("'", ''));
}

/** How a document at one path names another file. */
export function resolved(document: string, target: string): string {
  return relative(projectRoot, join(projectRoot, document, '..', target));
}
