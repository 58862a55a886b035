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
