// What the pages do more comfortably with a script. Everything works without it; nothing here decides anything.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (text) => {
  let box = document.getElementById("say");
  if (!box) {
    box = document.createElement("p");
    box.id = "say";
    box.className = "hidden";
    box.setAttribute("role", "status");
    document.body.append(box);
  }
  box.textContent = text;
};

// --- Fragments: fetch the same page with new parameters and swap the named parts ----------------------------------
let running = null;

async function swap(address, names, { remember = true } = {}) {
  running?.abort();
  running = new AbortController();
  const targets = names.split(",").map((name) => name.trim());
  targets.forEach((name) => document.querySelector(name)?.setAttribute("aria-busy", "true"));
  try {
    const answer = await fetch(address, { signal: running.signal, headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const name of targets) {
      const fresh = page.querySelector(name);
      const old = document.querySelector(name);
      if (fresh && old) keepFocus(old, fresh);
    }
    document.title = page.title;
    if (remember) history.replaceState(null, "", address);
    const heading = document.querySelector("[data-say]");
    if (heading) say(heading.textContent.trim());
  } catch (problem) {
    if (problem.name !== "AbortError") location.assign(address);
  }
}

function keepFocus(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const mark = focused && (focused.id ? `#${CSS.escape(focused.id)}`
    : focused.name ? `[name="${CSS.escape(focused.name)}"][value="${CSS.escape(focused.value ?? "")}"]` : "");
  const open = all("details[id][open], .facets-open:checked", old).map((part) => part.id);
  old.replaceWith(fresh);
  for (const id of open) {
    const part = document.getElementById(id);
    if (part) part[part.tagName === "DETAILS" ? "open" : "checked"] = true;
  }
  if (mark) fresh.querySelector(mark)?.focus({ preventScroll: true });
}

function addressOf(form) {
  const values = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") values.append(name, value);
  const query = values.toString();
  return (form.getAttribute("action") || location.pathname) + (query ? `?${query}` : "");
}

// <form method="get" data-swap="#results, .facets">: a change or a pause in typing shows the answer in place.
let pause = 0;
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (event.target.classList.contains("facets-open")) return;
  if (form?.dataset.swap && form.method === "get") swap(addressOf(form), form.dataset.swap);
  markChosen(event.target);
  countTicks(form);
});
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (event.target.type !== "search" || !form?.dataset.swap || form.method !== "get") return;
  clearTimeout(pause);
  pause = setTimeout(() => swap(addressOf(form), form.dataset.swap), 250);
});

// --- Choices ------------------------------------------------------------------------------------------------------
// The month's slot that belongs to the chosen session lights up; a ticked row is tinted.
function markChosen(input) {
  if (input.type === "radio" && input.id.startsWith("s-")) {
    for (const slot of all("label.slot")) slot.classList.toggle("on", slot.htmlFor === input.id);
  }
  if (input.type === "checkbox") input.closest("tr")?.classList.toggle("on", input.checked);
}

// <output data-count="person_id" data-one="1 person" data-many="{n} people" data-none="Nobody yet">: how many are ticked.
function countTicks(form) {
  if (!form) return;
  for (const place of all("[data-count]")) {
    const number = all(`input[name="${place.dataset.count}"]:checked`).length;
    const text = number === 0 ? place.dataset.none : number === 1 ? place.dataset.one : place.dataset.many;
    if (text) place.textContent = text.replace("{n}", number);
  }
}

// <input type="search" data-filter="#people">: shows only the rows that hold what was typed.
document.addEventListener("input", (event) => {
  const list = event.target.dataset?.filter && document.querySelector(event.target.dataset.filter);
  if (!list) return;
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const row of all("tbody tr, :scope > li", list)) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word)) && !row.querySelector("input:checked");
  }
});

// <input type="checkbox" data-all="person_id">: ticks every shown row.
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.all;
  if (!name) return;
  for (const box of all(`input[type="checkbox"][name="${name}"]:not(:disabled)`)) {
    if (!box.closest("tr[hidden]")) {
      box.checked = event.target.checked;
      markChosen(box);
    }
  }
  countTicks(event.target.form);
});

// --- Forms: one press, one request ---------------------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get" && form.dataset.swap && !event.submitter?.hasAttribute("formaction")) {
    event.preventDefault();
    swap(addressOf(form), form.dataset.swap);
    return;
  }
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of all("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of all("[aria-busy]", form)) button.removeAttribute("aria-busy");
  }
});

// --- Dialogs, menus, print, copy -----------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const box = opener && document.getElementById(opener.dataset.dialog);
  if (box?.showModal) {
    event.preventDefault();
    box.showModal();
    return;
  }
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
  } else if (event.target.tagName === "DIALOG") {
    event.target.close();
  }
  if (event.target.closest("[data-print]")) {
    event.preventDefault();
    window.print();
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard?.writeText(copy.dataset.copy).then(() => say(copy.dataset.copied || copy.dataset.copy));
  }
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of all("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// --- Work that runs elsewhere: <div id="progress" data-poll="4"> fetches itself until the attribute is gone --------
function poll() {
  const part = document.querySelector("[data-poll][id]");
  if (!part) return;
  setTimeout(async () => {
    if (!document.hidden) await swap(location.href, `#${part.id}`, { remember: false });
    poll();
  }, Math.max(Number(part.dataset.poll) || 4, 2) * 1000);
}

// --- First look ----------------------------------------------------------------------------------------------------
for (const input of all("input[type=radio][id^=s-]:checked")) markChosen(input);
for (const form of document.forms) countTicks(form);
poll();
