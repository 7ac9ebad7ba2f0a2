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
        const say = (id, text) => {
          const place = byId(id);
          if (place.textContent !== text) place.textContent = text;
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
        function show(snapshot) {
          now = snapshot;
          document.title = snapshot.sweep + " – Fathom";
          for (const button of document.querySelectorAll("#sweep-acts button")) {
            button.dataset.target = snapshot.sweep;
          }
          say("title", snapshot.sweep);
          const sum = (key) => snapshot.kinds.reduce((all, kind) => all + kind[key], 0);
          const [done, total, open] = [sum("done"), sum("total"), sum("open")];
          sayStatus();
          byId("whole").max = Math.max(1, total);
          byId("whole").value = done;
          byId("tile-trouble").className = snapshot.problems.total > 0 ? "bad" : "";
          say("tile-done", count(done) + " of " + count(total));
          say("tile-left", open === 0 ? "none" : snapshot.isRunning ? span(snapshot.secondsLeft) : "–");
          say("tile-rate", snapshot.rate >= 100 ? count(Math.round(snapshot.rate)) : fixed(snapshot.rate, 1));
          say("tile-here", snapshot.isRunning
            ? count(snapshot.workers.here) + " with " + count(snapshot.workers.slots) + " slots" : "–");
          say("tile-trouble", count(snapshot.problems.total) + (snapshot.problems.isMore ? " or more" : ""));
          fill(byId("kinds"), snapshot.kinds.map((kind) => [
            head(kind.kind), bar(kind.done, kind.total),
            number(count(kind.done) + " of " + count(kind.total)), number(count(kind.open)),
            number(count(kind.paused)), number(count(kind.failed)), number(count(kind.blocked)),
            number(span(kind.seconds)),
          ]));
          showProblems(snapshot.problems);
          showBoard(snapshot.board);
          showWorkers(snapshot);
          if (asked.search === "" && asked.order === "plan" && asked.offset === 0) {
            showCells(snapshot.cells);
          } else {
            askCells();
          }
        }

        function sayStatus() {
          if (!now) return;
          const open = now.kinds.reduce((all, kind) => all + kind.open, 0);
          const state = now.isRunning ? "Running" + (now.term > 1 ? ", started " + now.term + " times" : "")
            : open > 0 ? "Not running: no coordinator; the same command goes on where it was" : "Finished";
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

        let shownGroups = null;
        function showBoard(board) {
          say("board-note", board.groups.length === 0 ? "Nothing to rank yet."
            : "Worked out from " + count(board.jobs) + " finished jobs"
              + (now.kinds.every((kind) => kind.open === 0) ? "." : "; ranks move until all are done.")
              + (board.left > 0 ? " " + count(board.left) + " rows more are in `fathom leaderboard`." : ""));
          const place = byId("board");
          const groups = JSON.stringify(board.groups);
          if (shownGroups === groups) return;
          shownGroups = groups;
          const range = (low, high, d) => low === null || low === undefined
            ? "" : " (" + fixed(low, d) + " to " + fixed(high, d) + ")";
          const parts = board.groups.map((group) => {
            const part = document.createElement("div");
            const title = document.createElement("h3");
            const orders = { ud: "UD", metric: group.metricName, damage: "damage" };
            title.textContent = group.title + ", by " + (orders[group.order] ?? group.order);
            const doubt = document.createElement("p");
            doubt.className = "soft";
            doubt.textContent = group.calibrated === true ? "UD is calibrated here."
              : group.calibrated === false ? "UD is not calibrated here: do not rank by it."
              : "Nothing shows yet whether UD can be believed here.";
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
              head(row.method), number(fixed(row.ud, 3) + range(row.udLow, row.udHigh, 2)),
              number(fixed(row.metric, 3) + range(row.metricLow, row.metricHigh, 3)),
              number(fixed(row.damage, 2)), number(row.n + " of " + row.seeds), wide(row.why ?? ""),
            ]));
            group.rows.forEach((row, index) => { rows.rows[index].className = row.role; });
            box.append(table);
            part.append(title, doubt, box);
            return part;
          });
          place.replaceChildren(...parts);
        }

        function showWorkers(snapshot) {
          const rows = snapshot.workers.rows;
          const left = snapshot.workers.total - rows.length;
          say("workers-note", rows.length === 0 ? "None has come yet."
            : left > 0 ? "The " + rows.length + " newest; " + count(left) + " others." : "");
          byId("worker-rows").closest(".scroll").hidden = rows.length === 0;
          fill(byId("worker-rows"), rows.map((row) => [
            head(row.worker), row.host, number(count(row.slots)), number(count(row.done)),
            number(count(row.failed)), row.isHere && snapshot.isRunning ? "here" : "gone",
          ]));
        }

        // Cells: the server finds, sorts and cuts; the page asks for one page at a time.
        const asked = { search: "", order: "plan", offset: 0 };
        let asking = false;
        async function askCells() {
          if (asking) return;
          asking = true;
          const wanted = JSON.stringify(asked);
          try {
            const answer = await fetch("/api/cells?search="
              + encodeURIComponent(asked.search) + "&order=" + asked.order + "&offset=" + asked.offset);
            if (answer.ok) showCells(await answer.json());
          } catch (error) { /* The next snapshot asks again. */ }
          asking = false;
          if (wanted !== JSON.stringify(asked)) askCells();
        }
        function showCells(page) {
          asked.offset = page.found === 0 ? 0 : page.offset;
          const last = page.offset + page.rows.length;
          say("cells-note", page.found === 0 ? "None of " + count(page.total) + " cells."
            : count(page.offset + 1) + " to " + count(last) + " of " + count(page.found)
              + (page.found < page.total ? " found among " + count(page.total) : ""));
          byId("before").disabled = page.offset === 0;
          byId("after").disabled = last >= page.found;
          fill(byId("cell-rows"), page.rows.map((row) => [
            head(row.method), bar(row.done, row.total),
            number(count(row.done) + " of " + count(row.total)),
            number(count(row.failed + row.blocked)),
            number(row.done === row.total ? "none" : span(row.secondsLeft)),
            row.task, row.model, row.defense, row.cell,
            act("", row.done + row.failed + row.blocked < row.total
              ? [["cancel", row.cell, "Cancel"]] : [], row.method + " " + row.cell),
          ]));
        }
        const step = 100;
        byId("search").addEventListener("input", (event) => {
          asked.search = event.target.value;
          asked.offset = 0;
          askCells();
        });
        byId("order").addEventListener("change", (event) => {
          asked.order = event.target.value;
          asked.offset = 0;
          askCells();
        });
        byId("before").addEventListener("click", () => {
          asked.offset = Math.max(0, asked.offset - step);
          askCells();
        });
        byId("after").addEventListener("click", () => {
          asked.offset += step;
          askCells();
        });

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
          source.addEventListener("message", (event) => show(JSON.parse(event.data)));
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
