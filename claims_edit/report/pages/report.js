"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const body = $("lines").tBodies[0];
  const heads = [...$("lines").tHead.rows[0].cells];
  const dialog = $("story");
  const rows = [...body.rows].map((row) => ({
    row,
    key: row.dataset.key,
    disposition: row.dataset.disposition,
    edits: row.dataset.edits.split(" "),
    charge: Number(row.cells[4].dataset.v),
    text: `${row.textContent} ${row.dataset.edits}`.toLowerCase(),
  }));
  const byKey = new Map(rows.map((line) => [line.key, line]));
  let order = rows.slice();
  let opened = null;

  // ---- sorting

  const number = new Intl.Collator("en", { numeric: true });
  const value = (line, column, kind) => {
    const cell = line.row.cells[column];
    return kind === "number" ? Number(cell.dataset.v) : cell.textContent;
  };

  function sort(column) {
    const head = heads[column];
    const kind = head.dataset.kind;
    const now = head.getAttribute("aria-sort");
    const rising = now ? now === "descending" : kind !== "number";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const sign = rising ? 1 : -1;
    const keyed = order.map((line) => [value(line, column, kind), line]);
    keyed.sort(([a], [b]) => sign * (kind === "number" ? a - b : number.compare(a, b)));
    order = keyed.map(([, line]) => line);
    body.append(...order.map((line) => line.row));
  }

  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => sort(column));
  });

  // ---- filtering

  const shown = () => order.filter((line) => !line.row.hidden);

  function filter() {
    const words = $("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const disposition = $("filter-disposition").value;
    const edit = $("filter-edit").value;
    const charge = Number($("filter-charge").value) || 0;
    for (const line of rows) {
      line.row.hidden = !(
        (!disposition || line.disposition === disposition)
        && (!edit || line.edits.includes(edit))
        && line.charge >= charge
        && words.every((word) => line.text.includes(word))
      );
    }
    const many = shown().length;
    $("shown").textContent = `${many.toLocaleString("en")} of ${rows.length.toLocaleString("en")} lines`;
    $("none").hidden = many > 0;
  }

  $("filter").addEventListener("input", filter);
  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("filter").addEventListener("reset", () => setTimeout(filter));

  // ---- one line

  // Stories are packed: the distinct lines of all, and of each story the places of its lines.
  async function unpacked() {
    const bytes = Uint8Array.from(atob($("stories").content.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }
  let packed = null;

  async function story(line) {
    packed ??= unpacked();
    const { lines, stories } = await packed;
    const template = document.createElement("template");
    template.innerHTML = stories[line.row.dataset.i].map((at) => lines[at]).join("\n");
    if (opened === line) $("story-body").replaceChildren(template.content);
  }

  const fragment = (line) => `#claim=${encodeURIComponent(line.key)}`;

  function show(line) {
    if (opened) opened.row.classList.remove("opened");
    opened = line;
    line.row.classList.add("opened");
    const [claim, at] = [line.key.slice(0, line.key.lastIndexOf("/")), line.key.slice(line.key.lastIndexOf("/") + 1)];
    $("story-title").textContent = `Claim ${claim}, line ${at}`;
    $("story-disposition").className = `disposition ${line.disposition}`;
    $("story-disposition").textContent = line.disposition;
    $("story-body").replaceChildren();
    story(line);
    const visible = shown();
    const place = visible.indexOf(line);
    $("previous").disabled = place <= 0;
    $("next").disabled = place < 0 || place === visible.length - 1;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    $("story-title").focus();
    history.replaceState(null, "", fragment(line));
  }

  function step(by) {
    const visible = shown();
    const next = visible[visible.indexOf(opened) + by];
    if (next) show(next);
  }

  body.addEventListener("click", (event) => {
    const button = event.target.closest(".open");
    if (button) show(byKey.get(button.closest("tr").dataset.key));
  });
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => {
    history.replaceState(null, "", "#flagged");
    if (opened) opened.row.querySelector(".open").focus();
  });

  // ---- links into the page: #claim=C-1/1 opens a line, #edit=duplicate-line filters

  function follow() {
    const [what, , rest] = location.hash.slice(1).split(/(=)(.*)/s);
    let wanted = "";
    try { wanted = decodeURIComponent(rest || ""); } catch { return; }
    if (what === "claim" && byKey.has(wanted)) {
      const line = byKey.get(wanted);
      if (line.row.hidden) { $("filter").reset(); filter(); }
      show(line);
    } else if (what === "edit") {
      $("filter").reset();
      $("filter-edit").value = wanted;
      filter();
      $("flagged").scrollIntoView();
    }
  }

  addEventListener("hashchange", follow);
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      closed.push(details);
    }
  });
  addEventListener("afterprint", () => { for (const details of closed.splice(0)) details.open = false; });
  filter();
  follow();
})();
