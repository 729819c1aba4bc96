import { html, type Markup } from './html.ts';
import type { Report } from './report.ts';
import { counted, number } from './words.ts';

/** What failed, by its cause, and what to do about each. */
export function failuresPart({ failures, otherFailures }: Report): Markup | undefined {
  if (failures.length === 0) return undefined;
  return html`<h2>What was not done, by cause</h2>
    ${failures.map(
      ({ cause, files, hosts, examples, again }) =>
        html`<section class="failure">
          <h3>${cause}</h3>
          <p class="soft">${counted(files, 'file')}${hosts.length > 0 ? `, at ${hosts.join(', ')}` : ''}</p>
          <ul class="plain">
            ${examples.map(
              ({ path, reason }, index) =>
                html`<li><bdi class="path">${path}</bdi> ${index === 0 ? said(cause, reason) : undefined}</li>`,
            )}
            ${files > examples.length ? html`<li class="note">and ${number(files - examples.length)} more</li>` : undefined}
          </ul>
          ${
            again === undefined
              ? undefined
              : html`<p class="note">When the cause is mended, try these again, and no others:</p>
                  <pre>${again}</pre>`
          }
        </section>`,
    )}
    ${otherFailures > 0 ? html`<p class="note">${counted(otherFailures, 'failure')} of other causes are not shown.</p>` : undefined}`;
}

/** What was said of a file in full, where the cause leaves something out. */
function said(cause: string, reason: string): Markup | undefined {
  return cause.endsWith(reason) ? undefined : html`<span class="note">${reason}</span>`;
}

/** Where tries failed. */
export function hostsPart({ hosts }: Report): Markup | undefined {
  if (hosts.length === 0) return undefined;
  return html`<h2>Where tries failed</h2>
    <p class="note">A try that fails is made again, and where a datanode was to blame, at another one.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">Host</th>
          <th scope="col" class="number">Failed tries</th>
          <th scope="col" class="number">Lost connections</th>
        </tr>
      </thead>
      <tbody>
        ${hosts.slice(0, 50).map(
          ({ host, failedTries, lostConnections }) =>
            html`<tr>
              <td>${host}</td>
              <td class="number">${number(failedTries)}</td>
              <td class="number">${number(lostConnections)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

/** What was lost of attributes, and other warnings. */
export function warningsPart({ status }: Report): Markup | undefined {
  const counts = (name: string) => Object.entries((status[name] ?? {}) as Record<string, number>);
  const warnings = [...counts('Warnings'), ...counts('Warning Reasons')];
  const directories = (status['Directories Not Preserved'] ?? []) as readonly string[];
  if (warnings.length + directories.length === 0) return undefined;
  return html`<h2>Warnings</h2>
    <table>
      <tbody>
        ${warnings.map(
          ([what, count]) =>
            html`<tr>
              <td>${what}</td>
              <td class="number">${number(count)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      directories.length > 0
        ? html`<h3>Directories that did not get all their attributes</h3>
            <ul class="plain">
              ${directories.map((line) => html`<li class="path">${line}</li>`)}
            </ul>`
        : undefined
    }`;
}
