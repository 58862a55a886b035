"""The look and the few lines of behaviour of the HTML report: no file beside it, no network."""

from __future__ import annotations

from slr_ray.documents.svg import MARKS, PALETTE

STYLE = (
    PALETTE + ":root{color-scheme:light dark;--card:#f7f7f9;--good:#0f7b4f;--bad:#c2352b;"
    "--open:#8a6100;--warn:#fff4d6;--warnink:#5c4300}"
    "@media (prefers-color-scheme:dark){:root{--card:#1a1c1f;--good:#4cc38a;"
    "--bad:#ff8a7d;--open:#f2c14e;--warn:#3a2d05;--warnink:#ffe5a0}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main,header,nav{max-width:1000px;margin:0 auto;padding:0 20px}"
    "header{padding-top:28px}h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere}"
    "header p{color:var(--muted);margin:6px 0 0;overflow-wrap:anywhere}"
    "nav{padding-top:14px;padding-bottom:12px;display:flex;flex-wrap:wrap;gap:4px 16px;"
    "border-bottom:1px solid var(--line);font-size:.9rem}"
    "a{color:var(--c3);text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}"
    "section{padding-top:26px}h2{font-size:1.3rem;margin:0 0 10px}"
    "p{margin:8px 0;overflow-wrap:anywhere}ul{padding-left:20px;margin:8px 0}"
    "li{margin:3px 0;overflow-wrap:anywhere}"
    ".headline{font-size:1.2rem;font-weight:600;line-height:1.4;padding:14px 18px;"
    "background:var(--card);border-left:5px solid var(--muted);border-radius:6px;"
    "margin:10px 0 14px}"
    ".better{border-color:var(--good)}.worse{border-color:var(--bad)}.open{border-color:var(--open)}"
    ".note{color:var(--muted);font-size:.95rem}"
    ".warning{background:var(--warn);color:var(--warnink);padding:9px 14px;border-radius:6px}"
    "figure{margin:18px 0}figcaption,.caption{color:var(--muted);font-size:.88rem;margin:6px 0}"
    ".scroll{overflow-x:auto}.tall{overflow-y:auto;max-height:32rem}"
    "figure svg{display:block;width:100%;"
    "height:auto}"
    "table{border-collapse:collapse;font-size:.88rem;min-width:40%}"
    "th,td{padding:5px 12px 5px 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--line)}"
    "td{white-space:nowrap}"
    "td.long{white-space:normal;min-width:16rem;max-width:32rem;overflow-wrap:anywhere}"
    "th{position:sticky;top:0;background:var(--page);font-weight:600;vertical-align:bottom}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    "th button{all:unset;cursor:pointer}"
    "th button:focus-visible{outline:2px solid var(--c3)}"
    "th[aria-sort=ascending] button::after{content:' ↑'}"
    "th[aria-sort=descending] button::after{content:' ↓'}"
    "code,pre{font:.86rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    "pre{background:var(--card);padding:11px 14px;border-radius:6px;overflow-x:auto;margin:6px 0}"
    "footer{padding:30px 0 40px}"
    "@media print{.tall{max-height:none;overflow:visible}nav{display:none}}" + MARKS
)

SCRIPT = """
document.querySelectorAll('table.sortable').forEach(function (table) {
  table.querySelectorAll('th button').forEach(function (button, column) {
    button.addEventListener('click', function () {
      var head = button.parentNode, body = table.tBodies[0];
      var up = head.getAttribute('aria-sort') !== 'ascending';
      table.querySelectorAll('th').forEach(function (one) { one.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      var numeric = head.className === 'n';
      function key(row) {
        var cell = row.cells[column], raw = cell.getAttribute('data-v');
        return numeric ? (raw === null ? NaN : parseFloat(raw)) : cell.textContent;
      }
      Array.from(body.rows).map(function (row) { return [key(row), row]; }).sort(function (a, b) {
        // What has no value stays last either way.
        if (numeric && (isNaN(a[0]) || isNaN(b[0]))) { return isNaN(a[0]) - isNaN(b[0]); }
        var order = numeric ? a[0] - b[0] : a[0].localeCompare(b[0]);
        return up ? order : -order;
      }).forEach(function (pair) { body.appendChild(pair[1]); });
    });
  });
});
"""
