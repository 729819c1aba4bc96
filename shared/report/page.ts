import { createHash } from 'node:crypto';
import { bytesText } from '../bytes.ts';
import { latencyChart, sizeChart, sumBar, throughputChart } from './charts.ts';
import { failuresPart, hostsPart, warningsPart } from './failures-part.ts';
import { html, Markup, type Piece } from './html.ts';
import type { Report, ReportedFile } from './report.ts';
import { style } from './style.ts';
import { counted, duration, moment, number, rate, share } from './words.ts';

/**
 * The report as one page: no script, nothing to load, and a policy that forbids both. Everything of the job is in it as text.
 * @see https://www.w3.org/TR/CSP3/
 */
export function page(report: Report): string {
  const css = dense(style);
  const digest = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  const title = `${figure(report, 'Outcome')}: ${report.source.join(' ')} to ${report.destination}`;
  const { text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${new Markup(`<style>${css}</style>`)}
      </head>
      <body>
        <main>
          ${head(report)} ${cards(report)} ${sums(report)} ${verification(report)} ${failuresPart(report)}
          ${notes(report)} ${course(report)} ${hostsPart(report)} ${warningsPart(report)} ${deletions(report)}
          ${files('Slowest files', 'The time of a file is that of its transfer, retries included.', report.slowest)}
          ${files('Largest files', undefined, report.largest)} ${cost(report)} ${asked(report)}
          <footer>
            Made by ${report.madeBy} at ${moment(report.madeAtMs)}. All times are UTC; sizes are in units of 1024.
            Counts are those of the job’s status; times and sizes of single files were recorded beside it.
          </footer>
        </main>
      </body>
    </html>`;
  return dense(text);
}

function dense(text: string): string {
  return text.replace(/\n\s+/g, '\n');
}

const tones: Readonly<Record<string, string>> = { Successful: 'good', Failed: 'bad', Interrupted: 'warn' };

function head(report: Report): Markup {
  const { source, destination, startedBy, startedAtMs, endedAtMs, job } = report;
  const outcome = figure(report, 'Outcome');
  return html`<header>
    <span class="badge ${tones[outcome] ?? 'going'}">${outcome}</span>
    <h1>${source.join(' ')} → ${destination}</h1>
    <p class="lead">${summary(report)}</p>
    ${report.status['Undone'] === undefined ? undefined : html`<p class="warn">${undone(report)}</p>`}
    ${report.status['Error'] === undefined ? undefined : html`<p class="bad">${figure(report, 'Error')}</p>`}
    <dl class="facts">
      <dt>Job</dt>
      <dd>${job}</dd>
      ${report.mapping.length === 0 ? undefined : html`<dt>Copied</dt>`}
      ${report.mapping.slice(0, 1).map((root) => html`<dd>${root.source} to ${root.destination}${others(report)}</dd>`)}
      <dt>Started by</dt>
      <dd>${startedBy ?? 'not recorded'}</dd>
      <dt>${outcome === 'Running' ? 'Running' : 'Ran'}</dt>
      <dd>${moment(startedAtMs)} to ${outcome === 'Running' ? 'now' : moment(endedAtMs)}</dd>
    </dl>
  </header>`;
}

function others({ mapping }: Report): string {
  return mapping.length > 1 ? `, and ${counted(mapping.length - 1, 'other match', 'other matches')} of the source` : '';
}

function undone(report: Report): string {
  const extent = figure(report, 'Undone').endsWith('in part') ? 'in part' : 'since';
  return `This job was taken back ${extent} (hdfs-fanout undo): what follows is what it had done.`;
}

/** One sentence for who reads no further. */
function summary(report: Report): string {
  if (figure(report, 'Outcome') === 'Planned') {
    const files = counted(count(report, 'Files Expected'), 'file');
    return `${files}, ${bytesText(count(report, 'Size Expected'))}, planned; none is copied yet.`;
  }
  const [copied, failed] = [count(report, 'Files Copied'), count(report, 'Files Failed')];
  const took = duration(report.endedAtMs - report.startedAtMs);
  const expected = count(report, 'Files Expected');
  const skipped = count(report, 'Files Skipped');
  const left = report.sums.find(({ what }) => what === 'not reached')?.files ?? 0;
  const told = [
    `${number(copied)} of ${counted(expected, 'file')} ${copied === 1 ? 'was' : 'were'} copied, ${bytesText(count(report, 'Size Copied'))} in ${took}`,
    skipped > 0 ? `${number(skipped)} skipped` : '',
    failed > 0 ? `${number(failed)} failed` : '',
    left > 0 ? `${number(left)} not reached` : '',
  ];
  return `${told.filter((each) => each !== '').join('; ')}.`;
}

function cards(report: Report): Markup {
  const verified = Object.values(record(report, 'Verified'));
  const proved = record(report, 'Verified')['checksum'] ?? 0;
  const all = verified.reduce((sum, files) => sum + files, 0);
  const figures: [string, string][] = [
    [number(count(report, 'Files Copied')), 'files copied'],
    [bytesText(count(report, 'Size Copied')), 'copied'],
    [duration(report.endedAtMs - report.startedAtMs), 'from start to end'],
    [rate(count(report, 'Throughput')), 'on average'],
    ...(all > 0 ? [[share(proved, all), 'verified by checksum'] as [string, string]] : []),
    [number(count(report, 'Retries')), count(report, 'Retries') === 1 ? 'retry' : 'retries'],
  ];
  return html`<div class="cards">
    ${figures.map(([value, what]) => html`<div class="card"><b>${value}</b><span>${what}</span></div>`)}
  </div>`;
}

function sums(report: Report): Markup {
  const expected = count(report, 'Files Expected');
  const bytes = count(report, 'Size Expected');
  return html`<h2>What became of each file</h2>
    ${sumBar(report.sums)}
    <table>
      <thead>
        ${row('th', ['', ['Files'], ['Share'], ['Size']])}
      </thead>
      <tbody>
        ${report.sums.map(({ what, files: some, bytes: of }, index) =>
          row('td', [
            html`<span class="key ${what.replaceAll(' ', '-')}"></span>${index > 0 ? '+ ' : ''}${what}`,
            [number(some)],
            [share(some, expected)],
            [of < 0 ? `− ${bytesText(-of)}` : bytesText(of)],
          ]),
        )}
      </tbody>
      <tfoot>
        ${row('td', ['= expected', [number(expected)], [expected > 0 ? '100 %' : ''], [bytesText(bytes)]])}
      </tfoot>
    </table>
    ${reasons('Why files were skipped', record(report, 'Skipped'))}
    ${reasons('Left out by choice, and not expected', record(report, 'Filtered Out'))}`;
}

const levels: Readonly<Record<string, string>> = {
  checksum: 'the checksums that both clusters store are those of the bytes that were copied',
  'read-back': 'what was written was read again, or its stored checksum compared, and is what was read',
  length: 'the length is right; the content was not compared',
  none: 'nothing was compared',
};

function verification(report: Report): Markup | undefined {
  const verified = Object.entries(record(report, 'Verified'));
  if (verified.length === 0) return undefined;
  return html`<h2>How copies were verified</h2>
    <table>
      <thead>
        ${row('th', ['Level', 'What it proves', ['Files']])}
      </thead>
      <tbody>
        ${verified.map(([level, some]) => row('td', [html`<span class="word">${level}</span>`, levels[level] ?? '', [number(some)]]))}
      </tbody>
    </table>`;
}

/** What the status tells that no table holds. */
function notes(report: Report): Markup | undefined {
  const names = ['Not Deleted', 'Entries Renamed', 'Whole Walk', 'Snapshots Not Dropped', 'Snapshot', 'Snapshot Base'];
  const { backupDir } = report.options;
  const told = [
    ...names.filter((name) => report.status[name] !== undefined).map((name) => [name, figure(report, name)]),
    ...(typeof backupDir === 'string' ? [['Replaced and deleted', `kept under ${backupDir}/${report.job}`]] : []),
  ];
  const notRenamed = record(report, 'Renames Not Made');
  if (told.length + Object.keys(notRenamed).length === 0) return undefined;
  return html`<h2>Notes</h2>
    <dl class="facts">
      ${told.map(
        ([name, what]) =>
          html`<dt>${name}</dt>
            <dd>${what}</dd>`,
      )}
    </dl>
    ${reasons('What was renamed at the source, and copied', notRenamed)}`;
}

function course(report: Report): Markup {
  const { known, timeline, latency, sizes } = report;
  const step = duration(timeline.stepMs);
  if (known.files === 0 && timeline.steps.every(({ bytes }) => bytes === 0)) {
    const why = known.missing > 0 ? 'an earlier version of hdfs-fanout ran it' : 'no file was copied';
    return html`<h2>The course of the job</h2>
      <p class="note">Nothing is known of times and sizes of single files: ${why}.</p>`;
  }
  return html`<h2>Throughput</h2>
    <p class="legend">bytes a second, in steps of ${step}</p>
    ${throughputChart(timeline)}
    ${
      latency
        ? html`<h2>Time a file takes</h2>
            <p class="legend">
              <span><i class="key p50"></i>half of the files take less (${duration(latency.p50)} over all)</span>
              <span><i class="key p95"></i>95 of 100 take less (${duration(latency.p95)} over all)</span>
            </p>
            ${latencyChart(timeline)}
            <p class="note">
              99 of 100 take less than ${duration(latency.p99)}; the slowest took ${duration(latency.most)}.
            </p>`
        : undefined
    }
    <h2>Sizes of copied files</h2>
    ${sizeChart(sizes)}
    ${
      known.missing > 0
        ? html`<p class="warn">
            Charts and lists lack ${counted(known.missing, 'file')}: an earlier version of hdfs-fanout or a copier that
            was killed recorded no time of them. The counts above are whole.
          </p>`
        : undefined
    }`;
}

function deletions(report: Report): Markup | undefined {
  const { listed, more, trashes } = report.deletions;
  const kept = record(report, 'Deletes Kept');
  const deleted = count(report, 'Files Deleted');
  const failed = count(report, 'Deletes Failed');
  if (listed.length + deleted + failed + Object.keys(kept).length === 0) return undefined;
  // Without an answer nobody knows; a directory that was too large to go whole is deleted once it is empty.
  const nowhere = report.options['skipTrash'] === true ? 'for good' : 'not known, or emptied before';
  return html`<h2>Deleted at the destination</h2>
    <p>
      ${counted(deleted, 'file')},
      ${bytesText(count(report, 'Size Deleted'))}${failed > 0 ? `; ${counted(failed, 'deletion')} failed` : ''}.
      ${
        trashes.length > 0
          ? html`The trash holds
            ${trashes.map(({ directory, entries }) => html`${counted(entries, 'entry', 'entries')} under <code>${directory}</code> `)}
            until its checkpoint is emptied.`
          : undefined
      }
    </p>
    ${
      listed.length > 0
        ? html`<table>
            <thead>
              ${row('th', ['Deleted', html`<span class="extra">Now at</span>`, ['Size']])}
            </thead>
            <tbody>
              ${listed.map(({ path, bytes, trash, backup = trash }) =>
                row('td', [
                  pathOf(path),
                  html`<span class="extra">${backup === undefined ? nowhere : pathOf(backup)}</span>`,
                  [bytesText(bytes)],
                ]),
              )}
            </tbody>
          </table>`
        : undefined
    }
    ${more > 0 ? html`<p class="note">and ${counted(more, 'entry', 'entries')} more</p>` : undefined}
    ${reasons('What was found to delete and stayed', kept)}`;
}

function files(title: string, note: string | undefined, some: readonly ReportedFile[]): Markup | undefined {
  if (some.length === 0) return undefined;
  return html`<h2>${title}</h2>
    ${note === undefined ? undefined : html`<p class="note">${note}</p>`}
    <table>
      <thead>
        ${row('th', ['File', ['Size'], ['Took'], [html`<span class="extra">Retries</span>`]])}
      </thead>
      <tbody>
        ${some.map(({ path, bytes, tookMs, retries }) =>
          row('td', [
            pathOf(path),
            [bytesText(bytes)],
            [duration(tookMs)],
            [html`<span class="extra">${number(retries)}</span>`],
          ]),
        )}
      </tbody>
    </table>`;
}

function cost({ cost: told }: Report): Markup | undefined {
  if (!told) return undefined;
  const entries = Object.entries(told).flatMap(([name, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null ? Object.entries(value) : [[name, value]],
  );
  return html`<h2>Cost</h2>
    <table>
      <tbody>
        ${entries.map(([name, value]) => row('td', [name, [plain(value)]]))}
      </tbody>
    </table>`;
}

function asked({ options, status }: Report): Markup {
  const chosen = Object.entries(options);
  return html`<h2>As it was asked for</h2>
    ${
      chosen.length === 0
        ? html`<p class="note">All options have their defaults.</p>`
        : html`<dl class="facts">
            ${chosen.map(
              ([name, value]) =>
                html`<dt>${name}</dt>
                  <dd>${plain(value)}</dd>`,
            )}
          </dl>`
    }
    <details>
      <summary>The whole Job Status</summary>
      <pre>${statusLines(status)}</pre>
    </details>`;
}

function statusLines(status: Report['status']): Piece {
  return Object.entries(status).map(([name, value]) => html`${name}: ${plain(value)}&#10;`);
}

function reasons(title: string, counts: Readonly<Record<string, number>>): Markup | undefined {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return undefined;
  return html`<h3>${title}</h3>
    <table>
      <tbody>
        ${entries.map(([reason, some]) => row('td', [reason, [number(some)]]))}
      </tbody>
    </table>`;
}

/** Cells; one that is a list of one is a number. */
function row(cell: 'th' | 'td', cells: readonly (Piece | readonly [Piece])[]): Markup {
  const open = (classes: string) => new Markup(`<${cell}${cell === 'th' ? ' scope="col"' : ''}${classes}>`);
  const end = new Markup(`</${cell}>`);
  return html`<tr>
    ${cells.map((each) => (Array.isArray(each) ? [open(' class="number"'), each, end] : [open(''), each, end]))}
  </tr>`;
}

function pathOf(path: string): Markup {
  return html`<bdi class="path">${path}</bdi>`;
}

function count({ status }: Report, name: string): number {
  return Number(status[name] ?? 0);
}

function figure({ status }: Report, name: string): string {
  return plain(status[name]);
}

function record({ status }: Report, name: string): Readonly<Record<string, number>> {
  return (status[name] ?? {}) as Readonly<Record<string, number>>;
}

/** A value as text on one line. */
function plain(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
