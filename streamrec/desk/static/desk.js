// Keys, and a word when the desk is silent. Every page works without this file.
"use strict";
const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
let afterG = 0;

function go(key) {
  const link = [...document.querySelectorAll("nav a")].find((one) => one.title.endsWith(`(g ${key})`));
  if (link) link.click();
}

function openStop() {
  const stop = document.getElementById("stop");
  if (!stop) return;
  stop.open = true;
  stop.querySelector("[name=why]").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    document.querySelectorAll("details[open].stop, details[open].act").forEach((one) => {
      one.open = false;
      one.querySelector("summary").focus();
    });
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (Date.now() - afterG < 1500 && /^[a-z]$/.test(event.key)) {
    afterG = 0;
    go(event.key);
  } else if (event.key === "g") {
    afterG = Date.now();
  } else if (event.key === "/") {
    const search = document.querySelector("[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "s") {
    event.preventDefault();
    openStop();
  } else if (event.key === "?") {
    document.getElementById("help").showModal();
  }
});

document.getElementById("keys").addEventListener("click", () => document.getElementById("help").showModal());

// a panel that is opened takes the first field; one form is sent once
document.addEventListener("toggle", (event) => {
  const open = event.target;
  if (open.matches("details.stop, details.act") && open.open) open.querySelector("[name=why], input:not([type=hidden])")?.focus();
}, true);
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; }, 0);
});

// whoever watches figures must see when they have stopped moving
let heard = Date.now();
document.addEventListener("htmx:after:request", (event) => { if (event.detail?.ctx?.response?.status === 200) heard = Date.now(); });
setInterval(() => {
  const polls = document.querySelector("[hx-trigger^=every]");
  document.getElementById("late").hidden = !polls || Date.now() - heard < 10000;
}, 1000);
