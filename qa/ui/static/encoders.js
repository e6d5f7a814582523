/* The list of embedding models stays open, and the focus where it was, when the server draws the header anew. See qa/ui/encoders.py. */
"use strict";

(() => {
  if (window.qa.encoders) return; // each piece of the page loads this file
  window.qa.encoders = true;
  const menu = () => document.querySelector("#header .models");
  let open = false;
  let focused = null; // of the button that had the focus in the list: its model's number, or "" for the list's own

  const drawn = new MutationObserver(() => {
    const list = menu();
    if (!list || list.open === open) return;
    list.open = open;
    if (focused === null || document.activeElement !== document.body) return;
    (list.querySelector(`[data-encoder="${focused}"]`) ?? list.querySelector("summary")).focus();
  });

  function close() {
    menu().open = open = false;
  }

  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target !== menu()) return;
      open = event.target.open;
      drawn.observe(document.querySelector("#header"), { childList: true, subtree: true });
    },
    true, // it does not bubble
  );
  document.addEventListener("focusin", ({ target }) => {
    focused = menu()?.contains(target) ? (target.dataset.encoder ?? "") : null;
  });
  document.addEventListener("keydown", (key) => {
    if (key.key !== "Escape" || !open) return;
    menu().querySelector("summary").focus();
    close();
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("#header .models button");
    if (button?.dataset.encoder) {
      button.textContent = "At work …";
      button.ariaBusy = true;
    }
    if (!button?.dataset.tab) return;
    close();
    const tabs = document.querySelectorAll("#tabs :is([role=tab], .overflow-dropdown button)"); // those that fit, and the rest
    [...tabs].find((tab) => tab.textContent.trim() === button.dataset.tab)?.click();
    document.querySelector("#comparison textarea, #comparison input")?.focus();
  });
})();
