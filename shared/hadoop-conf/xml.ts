import { SaxesParser } from 'saxes';
import { messageOf, SpecError } from '../errors.ts';

/** An XML element, without the prefix of its namespace. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

interface Open extends Element {
  readonly children: Element[];
  text: string;
}

/** The outermost element of a document. Entities that the document defines are not taken. @throws SpecError that names file and line */
export function elementOf(document: string, file: string): Element {
  const root: Open = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [root];
  const parser = new SaxesParser();
  const addText = (text: string) => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name: localName(name), attributes: new Map(Object.entries(attributes)), children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => open.pop());
  parser.on('text', addText);
  parser.on('cdata', addText);
  try {
    parser.write(document).close();
  } catch (error) {
    throw new SpecError(`${file} is not XML: ${messageOf(error)}`, 'correct it', error);
  }
  const [element] = root.children;
  if (!element) throw new SpecError(`${file} is empty`, 'correct it');
  return element;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
