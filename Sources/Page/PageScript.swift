/// The scripts of pages. Without them everything can still be read.
public enum PageScript {
    /// Sorts a table by the column whose button is pressed; pressed again, the other way round.
    /// What has no value stays last. The old order of equals is kept.
    public static let sorting: StaticString = """
        "use strict";
        for (const table of document.querySelectorAll("table.sortable")) {
          const heads = [...table.tHead.rows[0].cells];
          heads.forEach((head, column) => {
            const button = head.querySelector("button");
            if (!button) return;
            button.addEventListener("click", () => {
              const down = head.getAttribute("aria-sort") === "ascending";
              heads.forEach((other) => other.removeAttribute("aria-sort"));
              head.setAttribute("aria-sort", down ? "descending" : "ascending");
              const numbers = head.classList.contains("n");
              const value = (row) => {
                const cell = row.cells[column];
                if (!numbers) return cell.textContent;
                const number = parseFloat(cell.dataset.v ?? cell.textContent);
                return Number.isFinite(number) ? number : null;
              };
              const compare = (a, b) => {
                const [x, y] = [value(a), value(b)];
                if (x === null || y === null) return (x === null) - (y === null);
                const order = numbers ? x - y : x.localeCompare(y, "en", { numeric: true });
                return down ? -order : order;
              };
              const body = table.tBodies[0];
              body.append(...[...body.rows].sort(compare));
            });
          });
        }
        """
}
