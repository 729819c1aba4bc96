/** The style of the page. A policy in the page allows this one by its digest, and nothing else that would be loaded or run. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1f2328; --soft: #5f6670; --rule: #e4e2dd; --grid: #eeece7;
  --accent: #2f6f8f; --accent-soft: #2f6f8f22; --second: #b08440;
  --good: #2f7d4f; --bad: #b3372f; --warn: #9a6b12; --rest: #9aa0a8;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1c1f23; --ink: #e3e5e8; --soft: #9aa2ac; --rule: #2e3238; --grid: #262a30;
    --accent: #7db9d6; --accent-soft: #7db9d626; --second: #d3ab6b;
    --good: #74c093; --bad: #ec8a82; --warn: #d9ae5f; --rest: #646b75;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
main { max-width: 1040px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 25px; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; margin: 10px 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 17px; font-weight: 600; margin: 44px 0 10px; }
h3 { font-size: 14px; font-weight: 600; margin: 22px 0 6px; }
p { margin: 6px 0; }
.soft, .note { color: var(--soft); }
.note { font-size: 13.5px; }
.lead { font-size: 16.5px; margin: 8px 0 0; }
code, pre, .path { font-family: var(--mono); font-size: 12.5px; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 1px 10px; border-radius: 99px; font-size: 13px; font-weight: 600; border: 1px solid currentColor; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .going { color: var(--accent); }
dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; margin: 22px 0 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin: 28px 0 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 14px; }
.card b { display: block; font-size: 20px; white-space: nowrap; font-weight: 600; line-height: 1.35; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 8px 0 0; }
th { text-align: left; font-weight: 500; font-size: 13px; color: var(--soft); }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
th.number, td.number { text-align: right; white-space: nowrap; }
td { overflow-wrap: anywhere; } .word { white-space: nowrap; }
tfoot td { font-weight: 600; border-bottom: 0; }
tr.total td { border-top: 2px solid var(--rule); font-weight: 600; }
.key { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 8px; }
.legend { font-size: 13px; color: var(--soft); margin: 0 0 2px; }
.legend span { white-space: nowrap; margin-right: 18px; }
figure { margin: 8px 0 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 8px; }
svg { display: block; width: 100%; height: auto; }
svg.narrow { display: none; }
svg.sum { height: 10px; border-radius: 3px; margin: 12px 0 4px; background: var(--grid); }
svg text { font: 11.5px system-ui, "DejaVu Sans", sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.tick.end { text-anchor: end; } .tick.middle, .value { text-anchor: middle; }
svg .value { fill: var(--ink); }
.axis { stroke: var(--rest); stroke-width: 1; } .grid { stroke: var(--grid); stroke-width: 1; }
.line { fill: none; stroke: var(--accent); stroke-width: 1.6; stroke-linejoin: round; }
.area { fill: var(--accent-soft); } .line.second { stroke: var(--second); }
.dot { fill: var(--accent); } .dot.second { fill: var(--second); }
.bar { fill: var(--accent); }
rect.copied { fill: var(--good); } rect.skipped { fill: var(--accent); } rect.failed { fill: var(--bad); }
rect.vanished, rect.changed { fill: var(--warn); } rect.not-reached { fill: var(--rest); }
.key.copied { background: var(--good); } .key.skipped, .key.p50 { background: var(--accent); } .key.failed { background: var(--bad); }
.key.vanished, .key.changed { background: var(--warn); } .key.not-reached, .key.other-length-by-now { background: var(--rest); }
.key.p95 { background: var(--second); }
.failure { background: var(--card); border: 1px solid var(--rule); border-left: 3px solid var(--bad); border-radius: 8px; padding: 12px 16px; margin: 12px 0 0; }
.failure h3 { margin: 0 0 4px; overflow-wrap: anywhere; }
pre { background: var(--grid); border-radius: 6px; padding: 8px 12px; margin: 8px 0; white-space: pre-wrap; }
details { margin: 8px 0 0; } summary { cursor: pointer; color: var(--soft); }
ul.plain { list-style: none; padding: 0; margin: 6px 0; } ul.plain li { padding: 2px 0; overflow-wrap: anywhere; }
footer { margin-top: 48px; padding-top: 14px; border-top: 1px solid var(--rule); color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 960px) { .cards { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 640px) {
  main { padding: 24px 16px 48px; }
  h1 { font-size: 21px; }
  dl.facts { grid-template-columns: minmax(0, 1fr); gap: 0; } dl.facts dd { margin-bottom: 8px; }
  .cards { grid-template-columns: 1fr 1fr; }
  .card { padding: 10px 12px; } .card b { font-size: 18px; }
  svg.wide { display: none; } svg.narrow { display: block; }
  th, td { padding-right: 8px; font-size: 13.5px; } .path { font-size: 11.5px; }
  .extra { display: none; }
}
@media print {
  :root { --paper: #fff; --card: #fff; }
  main { max-width: none; padding: 0; } .failure, figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
}
`;
