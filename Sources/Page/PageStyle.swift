/// The style sheet of all pages: light and dark as the reader's system asks, narrow and wide, and
/// on paper.
public enum PageStyle {
    public static let sheet: StaticString = """
        :root {
          color-scheme: light dark;
          --paper: #ffffff; --card: #f6f7f8; --ink: #16191d; --soft: #4d5661; --faint: #d9dde2;
          --accent: #0059a6; --zone: #00000012; --warn: #8a4b00; --warn-paper: #fff3dd;
          --s0: #16191d; --sc: #6b747e; --s1: #d55e00; --s2: #0072b2; --s3: #009e73;
          --s4: #cc79a7; --s5: #e69f00; --s6: #56b4e9;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14171a; --card: #1c2024; --ink: #eceff2; --soft: #a9b3bd; --faint: #363c43;
            --accent: #7cc0ff; --zone: #ffffff18; --warn: #ffcf8a; --warn-paper: #35290f;
            --s0: #eceff2; --sc: #98a2ac; --s2: #2f95d6; --s3: #14b98a;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
        body {
          margin: 0 auto; padding: 1.5rem clamp(0.9rem, 3vw, 2.5rem) 4rem; max-width: 84rem;
          background: var(--paper); color: var(--ink); overflow-wrap: break-word;
          font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.3rem; }
        h2 {
          font-size: 1.35rem; margin: 3rem 0 0.5rem; padding-top: 0.8rem;
          border-top: 1px solid var(--faint);
        }
        h3 { font-size: 1.05rem; margin: 1.6rem 0 0.4rem; }
        p, dl, .prose li { max-width: 46rem; }
        a { color: var(--accent); }
        a:focus-visible, button:focus-visible, [tabindex]:focus-visible, summary:focus-visible {
          outline: 3px solid var(--accent); outline-offset: 2px;
        }
        code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.88em; }
        pre {
          background: var(--card); padding: 0.8rem 1rem; overflow-x: auto; border-radius: 6px;
          max-height: 28rem;
        }
        .subtitle, .caption, .soft { color: var(--soft); }
        .subtitle { margin: 0 0 1rem; }
        .hidden {
          position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
          white-space: nowrap;
        }
        .skip { position: absolute; left: -9999px; }
        .skip:focus { left: 1rem; top: 0.5rem; background: var(--paper); padding: 0.4rem 0.8rem; }
        nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; padding: 0; margin: 1rem 0; }
        nav li { list-style: none; }
        .tiles { display: grid; gap: 0.7rem; padding: 0; margin: 1.2rem 0; max-width: none;
          grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
        .tiles > div { background: var(--card); border-radius: 8px; padding: 0.7rem 0.9rem; }
        .tiles dt { color: var(--soft); font-size: 0.85rem; }
        .tiles dd {
          margin: 0; font-size: 1.4rem; font-weight: 600; font-variant-numeric: tabular-nums;
        }
        .tiles dd small { display: block; font-size: 0.8rem; font-weight: 400; color: var(--soft); }
        .verdict {
          border-left: 4px solid var(--accent); background: var(--card); padding: 0.6rem 1rem;
          max-width: 50rem; border-radius: 0 6px 6px 0;
        }
        .verdict.warn { border-color: var(--warn); background: var(--warn-paper); }
        .verdict p { margin: 0.3rem 0; }
        .verdict + .verdict { margin-top: 0.7rem; }
        .tiles dd.bad { color: var(--warn); }
        button, input, select {
          font: inherit; color: inherit; background: var(--card); padding: 0.15rem 0.6rem;
          border: 1px solid var(--soft); border-radius: 6px;
        }
        button { cursor: pointer; }
        button:disabled { opacity: 0.45; cursor: default; }
        progress { width: 8rem; vertical-align: middle; accent-color: var(--accent); }
        progress.whole { width: 100%; height: 1rem; }
        dialog {
          width: min(56rem, 94vw); color: var(--ink); background: var(--paper);
          border: 1px solid var(--soft); border-radius: 8px;
        }
        dialog pre { white-space: pre-wrap; overflow-wrap: anywhere; }
        .scroll { overflow-x: auto; margin: 0.8rem 0; }
        .scroll.tall { max-height: 34rem; overflow-y: auto; }
        .tall thead th { position: sticky; top: 0; background: var(--paper); }
        table { border-collapse: collapse; font-size: 0.9rem; }
        caption { text-align: left; color: var(--soft); padding-bottom: 0.3rem; }
        th, td {
          padding: 0.34rem 0.5rem; text-align: left; border-bottom: 1px solid var(--faint);
          white-space: nowrap; unicode-bidi: isolate;
        }
        td.wide { white-space: normal; min-width: 16rem; }
        tbody th { font-weight: 600; }
        thead th { vertical-align: bottom; color: var(--soft); font-weight: 600; }
        .n { text-align: right; font-variant-numeric: tabular-nums; }
        tr.control th, tr.clean th { font-weight: 400; font-style: italic; }
        tbody tr:hover { background: var(--card); }
        .doubt { color: var(--soft); }
        .range { color: var(--soft); font-size: 0.85em; }
        th button {
          background: none; border: 0; padding: 0;
        }
        th button::after { content: " ↕"; opacity: 0.45; font-size: 0.8em; }
        th[aria-sort=ascending] button::after { content: " ▲"; opacity: 1; }
        th[aria-sort=descending] button::after { content: " ▼"; opacity: 1; }
        figure { margin: 1.2rem 0 2rem; }
        figcaption { margin-bottom: 0.5rem; max-width: 50rem; }
        figcaption .caption { display: block; font-size: 0.92rem; }
        .panels {
          display: grid; gap: 1.2rem 1.6rem;
          grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr));
        }
        .panels > * { max-width: 30rem; }
        .panels.one { display: block; }
        .panel-title { font-size: 0.9rem; font-weight: 600; margin: 0 0 0.2rem; }
        .key {
          display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; padding: 0; margin: 0 0 0.5rem;
          font-size: 0.88rem;
        }
        .key li { list-style: none; unicode-bidi: isolate; }
        .swatch { margin-right: 0.4rem; vertical-align: -1px; }
        .download { font-size: 0.85rem; }
        .gallery { display: grid; gap: 1.2rem; }
        .gallery figure { margin: 0; }
        .gallery img { image-rendering: pixelated; width: 100%; height: auto; display: block; }
        .strip { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0.25rem 0.6rem;
          align-items: center; font-size: 0.85rem; }
        details { margin: 0.6rem 0; }
        summary { cursor: pointer; }
        svg.plot { display: block; width: 100%; height: auto; max-width: 30rem; }
        svg.mini { vertical-align: middle; margin-left: 0.4rem; }
        svg text { fill: var(--ink); font-size: 12px; font-family: inherit; }
        svg .tick { fill: var(--soft); font-size: 11px; }
        svg .note { fill: var(--soft); font-size: 10.5px; }
        svg .label { font-size: 12px; }
        svg .panel { font-weight: 600; }
        svg .name, svg .d-text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
        .axis { stroke: var(--soft); stroke-width: 1; }
        .grid { stroke: var(--faint); stroke-width: 1; }
        .level { stroke: var(--soft); stroke-width: 1.2; }
        .mark { stroke: var(--ink); stroke-width: 1.6; }
        .zone { fill: var(--zone); }
        .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        .whisker { stroke-width: 1.8; }
        .band { stroke: none; opacity: 0.11; }
        .ridge { opacity: 0.75; }
        .mo { fill: none; stroke-width: 2; }
        .cells { shape-rendering: crispEdges; }
        .missing { fill: var(--faint); }
        .dots .d, .step.d { fill: #000000; }
        .dots .b { fill: #ffffff; }
        .contour { fill: none; stroke-width: 0.8; }
        .contour.d { stroke: #00000099; }
        .contour.b { stroke: #ffffff99; }
        .trajectory { fill: none; stroke: #ffffff; stroke-width: 2.4; paint-order: stroke; }
        .step { fill: #ffffff; stroke: #000000; stroke-width: 0.8; }
        .end { fill: #d55e00; stroke: #ffffff; stroke-width: 1.5; }
        .line.s0, .whisker.s0, .mo.s0 { stroke: var(--s0); }
        .line.s1, .whisker.s1, .mo.s1 { stroke: var(--s1); }
        .line.s2, .whisker.s2, .mo.s2 { stroke: var(--s2); }
        .line.s3, .whisker.s3, .mo.s3 { stroke: var(--s3); }
        .line.s4, .whisker.s4, .mo.s4 { stroke: var(--s4); }
        .line.s5, .whisker.s5, .mo.s5 { stroke: var(--s5); }
        .line.s6, .whisker.s6, .mo.s6 { stroke: var(--s6); }
        .line.sc, .whisker.sc, .mo.sc { stroke: var(--sc); }
        .m.s0, .band.s0, .ridge.s0 { fill: var(--s0); }
        .m.s1, .band.s1, .ridge.s1 { fill: var(--s1); }
        .m.s2, .band.s2, .ridge.s2 { fill: var(--s2); }
        .m.s3, .band.s3, .ridge.s3 { fill: var(--s3); }
        .m.s4, .band.s4, .ridge.s4 { fill: var(--s4); }
        .m.s5, .band.s5, .ridge.s5 { fill: var(--s5); }
        .m.s6, .band.s6, .ridge.s6 { fill: var(--s6); }
        .m.sc, .band.sc, .ridge.sc { fill: var(--sc); }
        @media (max-width: 40rem) {
          body { padding-top: 1rem; }
          h1 { font-size: 1.5rem; }
          th, td { padding: 0.3rem 0.45rem; }
          progress { width: 4.5rem; }
        }
        @media print {
          :root {
            color-scheme: light;
            --paper: #ffffff; --card: #f4f5f6; --ink: #000000; --soft: #444444; --faint: #cccccc;
            --accent: #000000; --zone: #00000012; --warn: #8a4b00; --warn-paper: #fff3dd;
            --s0: #16191d; --sc: #6b747e; --s2: #0072b2; --s3: #009e73;
          }
          @page { margin: 14mm; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          body { padding: 0; max-width: none; font-size: 10pt; }
          nav, .download, .skip { display: none; }
          th button::after { content: ""; }
          .scroll { overflow: visible; }
          table { font-size: 7.5pt; }
          th, td { padding: 1.5pt 4pt; white-space: normal; }
          pre { max-height: none; white-space: pre-wrap; overflow: visible; font-size: 7pt; }
          svg.plot, .gallery > *, .panels > div, tr, .verdict, figcaption { break-inside: avoid; }
          h2, h3, figcaption, caption, .panel-title { break-after: avoid; }
          .panels { grid-template-columns: 1fr 1fr; }
        }
        """
}
