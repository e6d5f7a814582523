/* What the page does without asking the server: scrolling to marks, copying, finding, the history that stays in this browser.
   Buttons carry their meaning: data-event goes to the server, data-do is done here. */
"use strict";

window.qa ??= (() => {
  const HISTORY = "qa-history";
  const MOST_CONVERSATIONS = 60;
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const body = document.body;
  const view = (shown) => ($("#ask").dataset.view = shown); // "talk", "sources" or "article": what a small screen shows, and what is beside the talk
  const narrow = () => matchMedia("(max-width: 820px)").matches;
  const smooth = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
  let opener = null; // the button that opened the article or the sources: focus goes back to it
  let shower = null; // the one that opened the sources, when the article was opened from them
  let place = {}; // where one is in the evaluation tab
  let goal; // the name of what has the focus after the button that was pressed; Gradio may make another button of that one

  /* ---- events -------------------------------------------------------------------------------------------------------------- */

  function wire(element, trigger, watch, events) {
    if (element.closest("#chat")) watch("value", follow);
    element.addEventListener("click", (click) => {
      const button = click.target.closest("button");
      if (!button || !element.contains(button)) return;
      const { event, do: action } = button.dataset;
      if (events.includes(event)) raise(trigger, event, button);
      else if (action) actions[action]?.(button, trigger);
    });
    if (element.closest("#history")) restoreLast(trigger);
    if (element.closest("#header")) new ResizeObserver(() => fit(element)).observe(element);
    if (linked() && element.closest("#chat")) trigger("submit", { question: linked() });
  }

  function raise(trigger, event, button) {
    if (event === "select") {
      shower = button.closest("#sources") ? (shower ?? opener) : null;
      opener = button;
    }
    goal = button.dataset.focus;
    if (button.closest("#evaluation")) place = { ...button.dataset };
    trigger(event, { ...button.dataset });
  }

  /* The panes fill the window below the masthead, whose height changes when it has something to tell. */
  function fit(masthead) {
    const tabs = $("#tabs .tab-wrapper")?.offsetHeight ?? 0;
    body.style.setProperty("--above", `${masthead.getBoundingClientRect().height + tabs}px`);
  }

  /* ---- conversation -------------------------------------------------------------------------------------------------------- */

  /* After an answer: file the conversation, show its sources, and let the next question be asked. */
  function answered(conversation) {
    keep(conversation);
    view("talk");
    $("#beside").scrollTo({ top: 0 });
    select(all("#chat .exchange").length - 1);
    return { __type__: "update", submit_btn: "Ask", stop_btn: false }; // Gradio's form of a change to a text box
  }

  function select(index) {
    all("#chat .exchange").forEach((exchange, i) => exchange.classList.toggle("selected", i === Number(index)));
  }

  /* A question that was just asked moves to the top of the conversation. */
  let exchanges = 0;
  function follow() {
    const shown = all("#chat .exchange");
    if (shown.length > exchanges) shown.at(-1).scrollIntoView({ behavior: smooth(), block: "start" });
    exchanges = shown.length;
    qa.feedback.show();
  }

  /* ---- sources and article ------------------------------------------------------------------------------------------------- */

  /* After the server sent the sources, and the article if a quote was pressed. */
  function opened() {
    const { exchange, citation } = opener?.dataset ?? {};
    select(exchange);
    view(citation ? "article" : "sources");
    if (citation) requestAnimationFrame(() => goTo(marks().findIndex((mark) => mark.classList.contains("quote")), "auto"));
    else $("#beside").scrollTo({ top: 0 });
    $(citation ? "#article h2" : "#sources h2")?.focus({ preventScroll: true });
    qa.feedback.opened(opener);
  }

  /* What Escape leaves: a menu that is open, or else what was opened beside or over the conversation. */
  function leave() {
    const menu = $("details.menu[open]");
    if (menu) {
      menu.open = false;
      $("summary", menu).focus();
      return;
    }
    if (!$("#ask").offsetParent) return; // another tab is open
    const shown = $("#ask").dataset.view;
    const there = narrow() || $("#beside").contains(document.activeElement);
    if (shown === "article" || (shown === "sources" && there)) back();
  }

  function back(button) {
    if (button?.closest("#page")) return $("#catalogue").scrollIntoView({ behavior: smooth() });
    const toSources = $("#ask").dataset.view === "article" && (opener?.closest("#sources") || !narrow());
    view(toSources ? "sources" : "talk");
    (toSources ? opener : (shower ?? opener))?.focus();
  }

  /* The first piece of each mark: a paragraph's end or an emphasis cuts a mark into pieces of one name. */
  function marks() {
    const pieces = all("#article mark[data-mark]");
    return pieces.filter((mark, i) => mark.dataset.mark !== pieces[i - 1]?.dataset.mark);
  }

  let current = 0;
  function goTo(index, behavior = smooth()) {
    const found = marks();
    if (!found.length) return;
    current = (index + found.length) % found.length;
    const name = found[current].dataset.mark;
    all("#article mark").forEach((mark) => mark.classList.toggle("current", mark.dataset.mark === name));
    found[current].scrollIntoView({ behavior, block: "center" });
    $("#article .marks").hidden = found.length < 2;
    $("#article output").textContent = `${current + 1} of ${found.length}`;
  }

  function find(box) {
    if (!window.CSS?.highlights) return;
    CSS.highlights.delete("qa-found");
    const words = box.value.trim().toLowerCase();
    const ranges = words.length < 2 ? [] : occurrences($(".body", box.closest(".reading")), words);
    if (!ranges.length) return;
    CSS.highlights.set("qa-found", new Highlight(...ranges));
    ranges[0].startContainer.parentElement.scrollIntoView({ behavior: smooth(), block: "center" });
  }

  function occurrences(within, words) {
    const ranges = [];
    const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent.toLowerCase();
      for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + words.length);
        ranges.push(range);
      }
    }
    return ranges;
  }

  /* ---- history in this browser --------------------------------------------------------------------------------------------- */

  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(HISTORY)) ?? [];
    } catch {
      return [];
    }
  };

  function store(list) {
    for (let kept = list.slice(0, MOST_CONVERSATIONS); ; kept = kept.slice(0, -1)) {
      try {
        return localStorage.setItem(HISTORY, JSON.stringify(kept));
      } catch {
        if (!kept.length) return; // no storage at all: the conversation lives as long as the page
      }
    }
  }

  function keep(conversation) {
    if (!conversation?.exchanges?.length) return;
    sessionStorage.setItem("qa-current", conversation.id);
    const past = stored();
    const title = past.find((c) => c.id === conversation.id)?.title ?? conversation.exchanges[0].question.slice(0, 80);
    store([{ id: conversation.id, title, when: Date.now(), conversation }, ...past.filter((c) => c.id !== conversation.id)]);
    list();
  }

  function list() {
    const items = stored().map(({ id, title, when }) => {
      const item = document.createElement("li");
      item.append(button(title, "restore", id, "title"), button("Rename", "rename", id), button("Delete", "forget", id));
      item.firstChild.title = new Date(when).toLocaleString();
      return item;
    });
    $("#history .past ul")?.replaceChildren(...items);
    $("#history .past")?.classList.toggle("none", !items.length);
  }

  function button(text, action, id, kind = "plain") {
    const made = document.createElement("button");
    made.textContent = text;
    made.className = kind;
    Object.assign(made.dataset, { do: action, id });
    return made;
  }

  /* A link with a question (?q=) asks it; otherwise the conversation of this tab is shown again. */
  const linked = () => new URLSearchParams(location.search).get("q");

  function restoreLast(trigger) {
    list();
    const current = stored().find((c) => c.id === sessionStorage.getItem("qa-current"));
    if (current && !linked()) trigger("select", { conversation: current.conversation });
  }

  /* ---- what buttons do here ------------------------------------------------------------------------------------------------ */

  const actions = {
    back,
    next: () => goTo(current + 1),
    previous: () => goTo(current - 1),
    copy: (button) => copy(button.dataset.text, button),
    link: (button) => copy(`${location.origin}${location.pathname}?q=${encodeURIComponent(button.dataset.question)}`, button),
    edit: (button) => type(button.dataset.question),
    theme: () => {
      const dark = body.classList.toggle("dark");
      localStorage.setItem("qa-theme", dark ? "dark" : "light");
    },
    restore: (button, trigger) => {
      const found = stored().find((c) => c.id === button.dataset.id);
      sessionStorage.setItem("qa-current", button.dataset.id);
      if (found) trigger("select", { conversation: found.conversation });
      button.closest("details").open = false;
    },
    rename: (button) => {
      const title = $(".title", button.parentElement);
      const box = Object.assign(document.createElement("input"), { value: title.textContent, ariaLabel: "Name of this conversation" });
      box.addEventListener("change", () => {
        store(stored().map((c) => (c.id === button.dataset.id ? { ...c, title: box.value.trim() || c.title } : c)));
        list();
      });
      title.replaceWith(box);
      box.select();
    },
    forget: (button) => {
      store(stored().filter((c) => c.id !== button.dataset.id));
      list();
    },
  };

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text }); // no clipboard without https
      body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1200);
  }

  function type(text) {
    const box = $("#question textarea, #question input");
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }

  /* ---- keys and theme ------------------------------------------------------------------------------------------------------ */

  document.addEventListener("keydown", (key) => {
    if (key.key === "Escape") leave();
    if (key.key === "/" && !/^(input|textarea|select)$/i.test(document.activeElement?.tagName)) {
      key.preventDefault();
      $("#question textarea, #question input")?.focus();
    }
  });
  document.addEventListener("input", (event) => event.target.matches?.(".reading .find") && find(event.target));
  document.addEventListener("click", (click) => {
    all("details.menu[open]").forEach((menu) => menu.contains(click.target) || (menu.open = false));
  });
  const theme = localStorage.getItem("qa-theme");
  if (theme) body.classList.toggle("dark", theme === "dark");

  /* A file that the server made, into the downloads. */
  function save({ name, type, text }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /* On a small screen a library article stands below the list. */
  const read = () => narrow() && $("#page").scrollIntoView({ behavior: smooth() });

  /* In the evaluation tab the place that was last asked for is shown; a comparison of large runs takes seconds. */
  function going() {
    $("#evaluation").ariaBusy = "true";
    return [place];
  }

  /* The focus goes to what the pressed button names, else to the top of the new view; it stays on the tab that was opened. */
  function moved() {
    $("#evaluation").ariaBusy = "false";
    if (!document.activeElement?.matches("[role=tab]")) refocus();
  }

  function refocus() {
    const named = all("#evaluation [data-key]").find((part) => part.dataset.key === goal);
    if (!named) $("#evaluation").scrollTo({ top: 0 });
    (named ?? $("#evaluation h2"))?.focus({ preventScroll: !named && !narrow() });
  }

  return { wire, raise, actions, answered, opened, going, moved, read, save };
})();
