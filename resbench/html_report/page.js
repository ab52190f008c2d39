"use strict";
// Tables sort by the column whose head is pressed: rising, then falling. What has no number goes last either way.
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows];
    const numbers = rows.some((row) => "key" in row.cells[column].dataset);
    const key = (row) => {
      const cell = row.cells[column];
      return numbers ? ("key" in cell.dataset ? Number(cell.dataset.key) : null) : cell.textContent;
    };
    rows.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return way * (numbers ? x - y : x.localeCompare(y));
    });
    table.tBodies[0].append(...rows);
  }));
}
// On paper nothing can be opened.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not(.long)")) part.open = true;
});
