// The keyboard. Everything works without it, through links and forms.
"use strict";

const rows = [...document.querySelectorAll("[data-rows] tbody tr")];
const boxes = rows.map((row) => row.querySelector("input[type=checkbox]"));
const all = document.getElementById("all");
const told = document.getElementById("selected");
const help = document.getElementById("keys");
let at = -1;

// ---- rows -------------------------------------------------------------------------------------

function go(index) {
  if (!rows.length) return;
  rows[at]?.classList.remove("at");
  at = Math.max(0, Math.min(index, rows.length - 1));
  rows[at].classList.add("at");
  rows[at].querySelector("a.open").focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

function tell() {
  const many = boxes.filter((box) => box.checked).length;
  if (told) told.textContent = many ? `For the ${many} selected line${many > 1 ? "s" : ""}:` : "Select lines, or go to one:";
  if (all) {
    all.checked = many === boxes.length;
    all.indeterminate = many > 0 && many < boxes.length;
  }
  rows.forEach((row, index) => row.classList.toggle("chosen", boxes[index].checked));
}

// Where nothing is selected, a key is for the line one is at.
function choose() {
  if (boxes.length && !boxes.some((box) => box.checked) && at >= 0) {
    boxes[at].checked = true;
    tell();
  }
}

rows.forEach((row, index) => {
  row.addEventListener("focusin", () => {
    rows[at]?.classList.remove("at");
    at = index;
    row.classList.add("at");
  });
});
boxes.forEach((box) => box.addEventListener("change", tell));
if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => { box.checked = all.checked; });
    tell();
  });
}
if (boxes.length) tell();

// ---- forms ------------------------------------------------------------------------------------

const reason = document.getElementById("reason");
const note = document.getElementById("note");
const assignee = document.getElementById("assignee");

// What an override needs is asked for before it is sent; the server asks again.
document.getElementById("override")?.addEventListener("click", () => {
  reason.setCustomValidity(reason.value ? "" : "An override needs a reason.");
  note.setCustomValidity(reason.value === "other" && !note.value.trim() ? "Say which reason." : "");
});
for (const field of [reason, note]) {
  field?.addEventListener("input", () => { reason.setCustomValidity(""); note.setCustomValidity(""); });
}
document.querySelectorAll("[data-act], [formaction]").forEach((button) => {
  if (button.id !== "override") {
    button.addEventListener("click", () => { reason.setCustomValidity(""); note.setCustomValidity(""); });
  }
});

// Enter in a field does what the field is for.
document.querySelectorAll("[data-enter]").forEach((field) => {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (field === assignee && !field.value) field.value = field.dataset.me;
    choose();
    document.getElementById(field.dataset.enter).click();
  });
});

// One answer to one press.
document.getElementById("work")?.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
addEventListener("pageshow", () => { delete document.getElementById("work")?.dataset.sent; });

// ---- keys -------------------------------------------------------------------------------------

function typing(target) {
  return target.matches("textarea, select, input:not([type=checkbox])");
}

const own = {
  j: () => go(at + 1),
  k: () => go(at - 1),
  x: () => { if (at >= 0) { boxes[at].checked = !boxes[at].checked; tell(); } },
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && typing(event.target)) event.target.blur();
  if (typing(event.target) || help.open) return;
  if (event.key === "?") {
    event.preventDefault();
    help.showModal();
    return;
  }
  if (rows.length && Object.hasOwn(own, event.key)) {
    event.preventDefault();
    own[event.key]();
    return;
  }
  const key = CSS.escape(event.key);
  const field = document.querySelector(`[data-focus="${key}"]`);
  const button = document.querySelector(`[data-key="${key}"]`);
  if (!field && !button) return;
  event.preventDefault();
  if (field) {
    choose();
    field.focus();
    field.select?.();
  } else {
    if (button.matches("[data-act]")) choose();
    button.click();
  }
});

// From a line back to its place in the queue.
const back = rows.findIndex((row) => row.id && row.id === location.hash.slice(1));
if (back >= 0) go(back);
