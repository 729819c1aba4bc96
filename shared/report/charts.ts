import { scaleLinear, scaleLog, scaleUtc } from 'd3-scale';
import { area, curveMonotoneX, line } from 'd3-shape';
import { bytesText } from '../bytes.ts';
import { html, type Markup } from './html.ts';
import type { Report } from './report.ts';
import { counted, duration, number, rate } from './words.ts';

/** A page is read on a wide screen or on a phone: a chart is drawn for both, so that its letters have one size, and the style shows one. */
const widths = { wide: 960, narrow: 344 } as const;
const HEIGHT = 190;
const margin = { top: 14, right: 10, bottom: 24, left: 74 } as const;

type Draw = (width: number) => Markup;

function drawn(label: string, draw: Draw): Markup {
  return html`<figure role="img" aria-label="${label}">
    ${Object.entries(widths).map(
      ([name, width]) =>
        html`<svg class="${name}" viewBox="0 0 ${width} ${HEIGHT}" aria-hidden="true">${draw(width)}</svg>`,
    )}
  </figure>`;
}

/** Bytes a second over time. */
export function throughputChart({ beganAtMs, stepMs, steps }: Report['timeline']): Markup {
  const rates = steps.map(({ bytes }) => (bytes * 1000) / stepMs);
  const most = Math.max(1, ...rates);
  return drawn(`throughput over time, at most ${rate(most)}`, (width) => {
    const x = timeScale(beganAtMs, stepMs, steps.length, width);
    const y = scaleLinear([0, most], [HEIGHT - margin.bottom, margin.top]);
    // Each step from its beginning to its end.
    const points = rates.flatMap((value, index): [number, number][] => [
      [x(beganAtMs + index * stepMs), y(value)],
      [x(beganAtMs + (index + 1) * stepMs), y(value)],
    ]);
    const filled =
      area(
        ([at]) => at,
        y(0),
        ([, value]) => value,
      )(points) ?? '';
    const edge =
      line(
        ([at]) => at,
        ([, value]) => value,
      )(points) ?? '';
    return html`${yAxis(byteTicks(most), y, (value) => rate(value).replace('.0 ', ' '), width)}${timeAxis(x, width)}
      <path class="area" d="${filled}" /><path class="line" d="${edge}" />`;
  });
}

/** How long files took that ended within a step: half of them less than the line, 95 of a hundred less than the upper one. */
export function latencyChart({ beganAtMs, stepMs, steps }: Report['timeline']): Markup {
  const points = steps.flatMap(({ latency }, index) =>
    latency ? [{ atMs: beganAtMs + (index + 0.5) * stepMs, ...latency }] : [],
  );
  const least = Math.max(1, Math.min(...points.map(({ p50 }) => p50)) / 1.5);
  const most = Math.max(least * 4, ...points.map(({ p95 }) => p95 * 1.2));
  return drawn('time that a file took, over time: median and 95th percentile', (width) => {
    const x = timeScale(beganAtMs, stepMs, steps.length, width);
    const y = scaleLog([least, most], [HEIGHT - margin.bottom, margin.top]);
    const path = (of: 'p50' | 'p95') =>
      line<(typeof points)[number]>(
        (point) => x(point.atMs),
        (point) => y(Math.max(least, point[of])),
      ).curve(curveMonotoneX)(points) ?? '';
    const dots = points.length > 60 ? [] : points;
    return html`${yAxis(decades(least, most), y, duration, width)}${timeAxis(x, width)}
      <path class="line second" d="${path('p95')}" /><path class="line" d="${path('p50')}" /> ${dots.map(
        ({ atMs, p50, p95 }) => [
          html`<circle class="dot second" r="2.5" cx="${round(x(atMs))}" cy="${round(y(Math.max(least, p95)))}" />`,
          html`<circle class="dot" r="2.5" cx="${round(x(atMs))}" cy="${round(y(Math.max(least, p50)))}" />`,
        ],
      )}`;
  });
}

/** Copied files by their length. */
export function sizeChart(sizes: Report['sizes']): Markup {
  const most = Math.max(1, ...sizes.map(({ files }) => files));
  return drawn('copied files by their length', (width) => {
    const y = scaleLinear([0, most], [HEIGHT - margin.bottom, margin.top + 10]);
    const left = 8;
    const slot = (width - 2 * left) / sizes.length;
    return html`${sizes.map(({ files, bytes, below }, index) => {
        const at = left + index * slot;
        const height = files === 0 ? 0 : Math.max(2, y(0) - y(files));
        const middle = round(at + slot / 2);
        return html`<rect
            class="bar"
            x="${round(at + slot * 0.14)}"
            y="${round(y(0) - height)}"
            width="${round(slot * 0.72)}"
            height="${round(height)}"
            ><title>${counted(files, 'file')}, ${bytesText(bytes)}</title></rect
          >
          <text class="value" x="${middle}" y="${round(y(0) - height - 4)}">${files === 0 ? '' : short(files)}</text>
          <text class="tick middle" x="${middle}" y="${HEIGHT - 8}"
            >${classOf(below, sizes[index - 1]?.below, slot < 60)}</text
          >`;
      })} <line class="axis" x1="${left}" x2="${width - left}" y1="${y(0)}" y2="${y(0)}" />`;
  });
}

/** How expected files ended, as one bar. */
export function sumBar(sums: Report['sums']): Markup {
  const total = sums.reduce((sum, { files }) => sum + files, 0);
  let at = 0;
  const parts = sums.map(({ what, files }) => {
    const width = total === 0 ? 0 : (100 * files) / total;
    const part = html`<rect
      class="${what.replaceAll(' ', '-')}"
      x="${round(at)}"
      y="0"
      width="${round(width)}"
      height="10"
    />`;
    at += width;
    return part;
  });
  return html`<svg class="sum" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`;
}

function classOf(below: number | null, from: number | null | undefined, isNarrow: boolean): string {
  if (below === 1) return isNarrow ? '0' : 'empty';
  if (below === null) return `≥ ${compact(from ?? 0, isNarrow)}`;
  return `< ${compact(below, isNarrow)}`;
}

/** `16 KiB`, or `16K` where there is less room. */
function compact(bytes: number, isNarrow: boolean): string {
  const text = bytesText(bytes).replace('.0 ', ' ');
  return isNarrow ? text.replace(/ ([KMGT])iB/, '$1') : text;
}

function short(files: number): string {
  if (files < 10_000) return number(files);
  return files < 999_500 ? `${(files / 1000).toFixed(0)}k` : `${(files / 1_000_000).toFixed(1)}M`;
}

type TimeScale = ReturnType<typeof timeScale>;

function timeScale(beganAtMs: number, stepMs: number, steps: number, width: number) {
  return scaleUtc([beganAtMs, beganAtMs + steps * stepMs], [margin.left, width - margin.right]);
}

function timeAxis(x: TimeScale, width: number): Markup {
  const ticks = x.ticks(Math.floor(width / 130));
  const [first, last] = x.domain().map(Number);
  const format = x.tickFormat(0, isWithinDay((last ?? 0) - (first ?? 0)));
  const y = HEIGHT - margin.bottom;
  return html`<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}" /> ${ticks.map(
      (tick) => {
        const at = round(x(tick));
        // A label at the edge would be cut.
        if (at < margin.left + 14 || at > width - margin.right - 24) return undefined;
        return html`<line class="axis" x1="${at}" x2="${at}" y1="${y}" y2="${y + 4}" />
          <text class="tick middle" x="${at}" y="${HEIGHT - 6}">${format(tick)}</text>`;
      },
    )}`;
}

function isWithinDay(lastedMs: number): string {
  if (lastedMs < 10 * 60_000) return '%H:%M:%S';
  return lastedMs < 36 * 3_600_000 ? '%H:%M' : '%b %d %H:%M';
}

function yAxis(
  ticks: readonly number[],
  y: (value: number) => number,
  text: (value: number) => string,
  width: number,
): Markup {
  return html`${ticks.map((tick) => {
    const at = round(y(tick));
    return html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}" />
      <text class="tick end" x="${margin.left - 8}" y="${at + 4}">${text(tick)}</text>`;
  })}`;
}

/** Round numbers of one binary unit. */
function byteTicks(most: number): number[] {
  const unit = 1024 ** Math.floor(Math.log2(Math.max(1, most)) / 10);
  return scaleLinear([0, most / unit], [0, 1])
    .ticks(4)
    .map((tick) => tick * unit);
}

const ROUND_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000];
const LONG_MS = [600_000, 1_800_000, 3_600_000, 7_200_000, 18_000_000, 36_000_000, 86_400_000];

/** Round durations, five at most. */
function decades(least: number, most: number): number[] {
  const all = [...ROUND_MS, ...LONG_MS].filter((ms) => ms >= least && ms <= most);
  const every = Math.ceil(all.length / 5);
  return all.filter((_, index) => index % every === 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
