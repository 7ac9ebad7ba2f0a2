/// What keeps the page live. Everything from the store becomes text, never markup.
enum DashboardScript {
    static let live: StaticString = """
        "use strict";
        const byId = (id) => document.getElementById(id);
        const thin = String.fromCharCode(0x202f);
        const count = (n) => String(n).replace(/[0-9](?=([0-9]{3})+$)/g, (d) => d + thin);
        const span = (s) => s === null || s === undefined ? "–"
          : s < 1 ? Math.round(s * 1000) + " ms" : s < 100 ? s.toFixed(1) + " s"
          : s < 6000 ? (s / 60).toFixed(0) + " min" : s < 360000 ? (s / 3600).toFixed(1) + " h"
          : (s / 86400).toFixed(1) + " days";
        const fixed = (x, d) => x === null || x === undefined ? "–" : x.toFixed(d);
        // What stands between backticks, as in terminals, becomes code.
        const say = (id, text) => {
          const place = byId(id);
          const parts = text.split("`");
          if (place.textContent === parts.join("")) return;
          place.replaceChildren(...parts.map((part, index) => {
            if (index % 2 === 0 || index === parts.length - 1) return part;
            const code = document.createElement("code");
            code.textContent = part;
            return code;
          }));
        };

        // A cell is a text, or what `bar`, `act` and `head` make.
        const bar = (done, total) => ({ bar: [done, Math.max(1, total)] });
        const act = (label, acts, name) => ({ acts: acts, label: label, name: name });
        const number = (text) => ({ text: text, kind: "n" });
        const wide = (text) => ({ text: text, kind: "wide" });
        const head = (text) => ({ text: text, head: true });

        // Rows and cells stay where they are and only change, so that focus is kept.
        function fill(body, rows) {
          while (body.rows.length > rows.length) body.deleteRow(-1);
          rows.forEach((cells, index) => {
            const row = body.rows[index] ?? body.insertRow();
            cells.forEach((cell, place) => put(row, place, cell));
          });
        }
        function put(row, place, cell) {
          let box = row.cells[place];
          if (!box) {
            box = document.createElement(cell && cell.head ? "th" : "td");
            if (cell && cell.head) box.scope = "row";
            row.append(box);
          }
          if (cell && cell.bar) {
            let meter = box.firstElementChild;
            if (!meter) {
              meter = document.createElement("progress");
              meter.setAttribute("aria-label", "done");
              box.append(meter);
            }
            meter.max = cell.bar[1];
            meter.value = cell.bar[0];
          } else if (cell && cell.acts) {
            cell.acts.forEach((one, index) => {
              const button = box.children[index] ?? document.createElement("button");
              button.type = "button";
              button.dataset.action = one[0];
              button.dataset.target = one[1];
              if (button.textContent !== one[2]) button.textContent = one[2];
              button.setAttribute("aria-label", one[2] + " " + cell.name);
              if (!button.parentNode) box.append(button, " ");
            });
            while (box.children.length > cell.acts.length) box.lastElementChild.remove();
          } else {
            const text = cell && cell.text !== undefined ? cell.text : String(cell ?? "");
            if (cell && cell.kind) box.className = cell.kind;
            if (box.textContent !== text) box.textContent = text;
          }
        }

        let now = null;
        function show(figures) {
          now = figures;
          document.title = figures.sweep + " – Fathom";
          for (const button of document.querySelectorAll("#sweep-acts button")) {
            button.dataset.target = figures.sweep;
          }
          say("title", figures.sweep);
          const sum = (key) => figures.kinds.reduce((all, kind) => all + kind.jobs[key], 0);
          const [done, total, open] = [sum("done"), sum("total"), sum("open")];
          sayStatus();
          byId("whole").max = Math.max(1, total);
          byId("whole").value = done;
          byId("tile-trouble").className = figures.problems.total > 0 ? "bad" : "";
          say("tile-done", count(done) + " of " + count(total));
          const left = figures.timeLeft;
          say("tile-left", open === 0 ? "none" : !figures.isRunning || !left ? "–"
            : (left.isAtLeast ? "over " : "") + span(left.seconds));
          say("tile-rate", figures.rate >= 100 ? count(Math.round(figures.rate)) : fixed(figures.rate, 1));
          say("tile-here", figures.isRunning
            ? count(figures.workers.here) + " with " + count(figures.workers.slots) + " slots" : "–");
          say("tile-trouble", count(figures.problems.total) + (figures.problems.isMore ? " or more" : ""));
          fill(byId("kinds"), figures.kinds.map((kind) => [
            head(kind.kind), bar(kind.jobs.done, kind.jobs.total),
            number(count(kind.jobs.done) + " of " + count(kind.jobs.total)),
            number(count(kind.jobs.open)), number(count(kind.jobs.paused)),
            number(count(kind.jobs.failed)), number(count(kind.jobs.blocked)),
            number(span(kind.seconds)),
          ]));
          showProblems(figures.problems);
          showWorkers(figures);
        }

        const isOpen = () => now.kinds.some((kind) => kind.jobs.open > 0);
        function sayStatus() {
          if (!now) return;
          const state = now.isRunning ? "Running" + (now.term > 1 ? ", started " + now.term + " times" : "")
            : isOpen() ? "Not running: no coordinator; the same command goes on where it was" : "Finished";
          say("status", state + ". Store " + now.store
            + (now.sweeps > 1 ? ", one of its " + now.sweeps + " sweeps" : "")
            + ". As of " + new Date(now.at * 1000).toLocaleTimeString() + ".");
        }

        function showProblems(problems) {
          const left = problems.total - problems.rows.length;
          say("problems-note", problems.total === 0 ? "None so far."
            : left > 0 ? "The first " + problems.rows.length + "; " + count(left)
              + (problems.isMore ? " or more" : "") + " others are like them or follow from them." : "");
          byId("problem-rows").closest(".scroll").hidden = problems.total === 0;
          const words = { quarantined: "given up", blocked: "blocked", disagreement: "results differ" };
          fill(byId("problem-rows"), problems.rows.map((row) => [
            head(row.method), words[row.state] ?? row.state,
            act("", [["explain", row.job, "Explain"]].concat(
              row.state === "quarantined" ? [["retry", row.job, "Retry"]] : []),
              row.job.slice(0, 12)),
            wide(row.reason), row.kind, row.job.slice(0, 12),
          ]));
        }

        // Which groups a reader has opened or closed, by title; the first is open unless closed.
        const unfolded = new Map();
        let shownGroups = null;
        function showBoard(board) {
          const groups = board.groups;
          const name = (n) => count(n) + (n === 1 ? " group" : " groups");
          say("board-source", groups.total === 0 ? "Nothing to rank yet."
            : "Worked out from " + count(board.jobs) + " finished jobs"
              + (isOpen() ? "; ranks move until all are done." : "."));
          boardList.told(groups, name);
          const text = JSON.stringify(groups.rows);
          if (shownGroups === text) return;
          shownGroups = text;
          const few = groups.rows.length < 4;
          byId("board-rows").replaceChildren(...groups.rows.map((group, index) => {
            const part = document.createElement("details");
            part.open = unfolded.get(group.title) ?? (few || index === 0);
            part.addEventListener("toggle", () => unfolded.set(group.title, part.open));
            const title = document.createElement("summary");
            title.className = "panel-title";
            const orders = { ud: "UD", metric: group.metricName, damage: "damage" };
            title.textContent = group.title + ", by " + (orders[group.order] ?? group.order);
            const doubt = document.createElement("p");
            doubt.className = "soft";
            doubt.textContent = (group.calibrated === true ? "UD is calibrated here."
              : group.calibrated === false ? "UD is not calibrated here: do not rank by it."
              : "Nothing shows yet whether UD can be believed here.")
              + (group.left > 0 ? " " + count(group.left) + " rows more are in the store." : "");
            part.append(title, doubt, rankTable(group));
            return part;
          }));
        }
        function rankTable(group) {
          const range = (one, digits, digitsOfRange) => one === null || one === undefined ? "–"
            : fixed(one.value, digits) + (one.low === null || one.low === undefined ? ""
              : " (" + fixed(one.low, digitsOfRange) + " to " + fixed(one.high, digitsOfRange) + ")");
          const box = document.createElement("div");
          box.className = "scroll tall";
          box.tabIndex = 0;
          const table = document.createElement("table");
          const heads = table.createTHead().insertRow();
          ["#", "Method", "UD (95 %)", group.metricName + " (95 %)", "Damage", "Seeds", ""].forEach(
            (name, index) => {
              const cell = document.createElement("th");
              cell.scope = "col";
              cell.textContent = name;
              if (index !== 1 && index !== 6) cell.className = "n";
              heads.append(cell);
            });
          const rows = table.createTBody();
          fill(rows, group.rows.map((row) => [
            number(row.rank === null || row.rank === undefined ? "–" : String(row.rank)),
            head(row.method), number(range(row.ud, 3, 2)), number(range(row.metric, 3, 3)),
            number(fixed(row.damage, 2)), number(row.n + " of " + row.seeds), wide(row.why ?? ""),
          ]));
          group.rows.forEach((row, index) => { rows.rows[index].className = row.role; });
          box.append(table);
          return box;
        }

        function showWorkers(figures) {
          const rows = figures.workers.rows;
          const left = figures.workers.total - rows.length;
          say("workers-note", rows.length === 0 ? "None has come yet."
            : left > 0 ? "The " + rows.length + " newest; " + count(left) + " others." : "");
          byId("worker-rows").closest(".scroll").hidden = rows.length === 0;
          fill(byId("worker-rows"), rows.map((row) => [
            head(row.worker), row.host, number(count(row.slots)), number(count(row.done)),
            number(count(row.failed)), row.isHere && figures.isRunning ? "here" : "gone",
          ]));
        }

        // A long list: the server finds, sorts and cuts; the page asks for one page at a time.
        class List {
          constructor(name, step, show) {
            Object.assign(this, { name, step, show, search: "", order: "plan", offset: 0 });
            this.place("search").addEventListener("input", (event) => {
              this.turn({ search: event.target.value, offset: 0 });
            });
            this.place("order")?.addEventListener("change", (event) => {
              this.turn({ order: event.target.value, offset: 0 });
            });
            this.place("before").addEventListener("click", () => {
              this.turn({ offset: Math.max(0, this.offset - this.step) });
            });
            this.place("after").addEventListener("click", () => {
              this.turn({ offset: this.offset + this.step });
            });
          }
          place(part) { return byId(this.name + "-" + part); }
          turn(wish) {
            Object.assign(this, wish);
            this.ask();
          }
          get query() {
            return "search=" + encodeURIComponent(this.search) + "&order=" + this.order
              + "&offset=" + this.offset;
          }
          get isAtStart() { return this.search === "" && this.order === "plan" && this.offset === 0; }
          async ask() {
            if (this.isAsking) return;
            this.isAsking = true;
            let wanted = null;
            // Until what came is what is wanted by then.
            while (wanted !== this.query) {
              wanted = this.query;
              try {
                const answer = await fetch("/api/" + this.name + "?" + wanted);
                const page = answer.ok ? await answer.json() : null;
                if (page && wanted === this.query) this.show(page);
              } catch (error) { /* The next news ask again. */ }
            }
            this.isAsking = false;
          }
          // Says which part of the list is shown.
          told(page, name) {
            this.offset = page.found === 0 ? 0 : page.offset;
            const last = page.offset + page.rows.length;
            say(this.name + "-note", page.found === 0 ? "None of " + name(page.total) + "."
              : count(page.offset + 1) + " to " + count(last) + " of " + name(page.found)
                + (page.found < page.total ? " found among " + count(page.total) : ""));
            this.place("before").disabled = page.offset === 0;
            this.place("after").disabled = last >= page.found;
            const isLong = page.total > this.step;
            this.place("finder").hidden = !isLong && page.total < 4;
            this.place("turner").hidden = !isLong && page.found === page.total;
          }
        }
        const cellList = new List("cells", 100, (page) => {
          cellList.told(page, (n) => count(n) + (n === 1 ? " cell" : " cells"));
          fill(byId("cells-rows"), page.rows.map(({ jobs, ...row }) => [
            head(row.method), bar(jobs.done, jobs.total),
            number(count(jobs.done) + " of " + count(jobs.total)),
            number(count(jobs.failed + jobs.blocked)),
            number(jobs.done === jobs.total ? "none" : span(row.secondsLeft)),
            row.task, row.model, row.defense, row.cell,
            act("", jobs.open > 0 ? [["cancel", row.cell, "Cancel"]] : [],
              row.method + " " + row.cell),
          ]));
        });
        const boardList = new List("board", 12, showBoard);

        // What buttons in rows do.
        document.addEventListener("click", (event) => {
          const button = event.target.closest("button[data-action]");
          if (!button) return;
          const { action, target } = button.dataset;
          if (action === "explain") explain(target);
          else steer(action, target);
        });
        byId("steering").addEventListener("submit", (event) => event.preventDefault());
        async function explain(job) {
          say("explained", "Job " + job.slice(0, 12));
          say("explanation-text", "Asking …");
          byId("explanation").showModal();
          try {
            const answer = await fetch("/api/explain?job=" + encodeURIComponent(job));
            say("explanation-text", await answer.text());
          } catch (error) {
            say("explanation-text", "The dashboard does not answer; it may be starting again.");
          }
        }
        async function steer(action, target) {
          const key = byId("key").value.trim();
          if (key === "") {
            say("answer", "Enter the token first.");
            byId("key").focus();
            return;
          }
          const whole = now && target === now.sweep;
          const thing = whole ? "the whole sweep" : action === "retry" ? "job " + target.slice(0, 12)
            : "cell " + target;
          const what = {
            cancel: "Give up all open jobs of ", retry: "Put back what failed of ",
            pause: "Hold back all open jobs of ", resume: "Let paused jobs go on, of ",
          };
          if (!confirm(what[action] + thing + "?")) return;
          say("answer", "Asking …");
          try {
            const answer = await fetch("/api/steer", {
              method: "POST",
              headers: { "Content-Type": "application/json", Authorization: "Bearer " + key },
              body: JSON.stringify({ action: action, target: target }),
            });
            say("answer", (await answer.text()).trim());
          } catch (error) {
            say("answer", "The dashboard does not answer; it may be starting again.");
          }
        }

        // The connection. A browser comes back by itself, unless it was turned away.
        let source = null;
        function connect() {
          if (source) source.close();
          source = new EventSource("/api/events");
          source.addEventListener("figures", (event) => {
            show(JSON.parse(event.data));
            // Of a list only the start comes with the news.
            if (!cellList.isAtStart) cellList.ask();
          });
          for (const list of [cellList, boardList]) {
            source.addEventListener(list.name, (event) => {
              if (list.isAtStart) list.show(JSON.parse(event.data));
              else list.ask();
            });
          }
          source.addEventListener("same", (event) => {
            if (now) now.at = Number(event.data);
            sayStatus();
          });
          source.addEventListener("trouble", (event) => {
            say("status", "The store cannot be read: " + JSON.parse(event.data));
          });
          source.addEventListener("full", () => {
            say("status", "Too many pages are open; this one tries again in half a minute.");
          });
          source.addEventListener("error", lost);
        }
        async function lost() {
          say("status", "The connection is lost" + (now ? "; what is shown is of "
            + new Date(now.at * 1000).toLocaleTimeString() : "") + ". Trying again …");
          if (source.readyState !== EventSource.CLOSED) return;
          try {
            const answer = await fetch("/api/latest");
            // Another start of the dashboard has another token.
            if (answer.status === 401) location.reload();
          } catch (error) { /* Nobody is there yet. */ }
          setTimeout(connect, 3000);
        }
        // A page that nobody looks at needs no news, and browsers have few connections to give.
        document.addEventListener("visibilitychange", () => {
          if (!document.hidden) connect();
          else if (source) source.close();
        });
        connect();
        """
}
