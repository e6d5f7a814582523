/* Marking answers: the buttons below them, and selecting the words of an open article that answer. See qa/ui/feedback.py.
   Which buttons are pressed is remembered in this browser; what they say is kept by the server. */
"use strict";

window.qa.feedback ??= (() => {
  const MARKS = "qa-marks"; // {conversation: {exchange: verdict}}
  const MOST_CONVERSATIONS = 60;
  const READER = "qa-reader";
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const length = (text) => [...text].length; // in characters, as the server counts them
  const conversation = () => sessionStorage.getItem("qa-current");

  /* ---- verdicts ------------------------------------------------------------------------------------------------------------ */

  const marks = () => {
    try {
      return JSON.parse(localStorage.getItem(MARKS)) ?? {};
    } catch {
      return {};
    }
  };

  function remember(exchange, verdict) {
    const id = conversation();
    const { [id]: mine, ...others } = marks();
    const kept = [...Object.entries(others), [id, { ...mine, [exchange]: verdict }]].slice(-MOST_CONVERSATIONS);
    try {
      localStorage.setItem(MARKS, JSON.stringify(Object.fromEntries(kept)));
    } catch {
      return; // no storage: the buttons look pressed as long as the page lives
    }
  }

  /* A name by which the server tells readers apart, made when somebody marks for the first time. */
  function reader() {
    const made = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const name = localStorage.getItem(READER) ?? made;
    localStorage.setItem(READER, name);
    return name;
  }

  /* The buttons below the answers as they were pressed. */
  function show() {
    for (const [exchange, verdict] of Object.entries(marks()[conversation()] ?? {})) press(exchange, verdict);
  }

  function press(exchange, verdict) {
    all(`.judging [data-exchange="${exchange}"]`).forEach((button) => (button.ariaPressed = String(button.dataset.verdict === verdict)));
  }

  /* After the server kept a verdict, or said why it didn't. */
  function judged({ exchange, verdict, thanks, problem }) {
    all(".thanks").forEach((line) => (line.textContent = ""));
    const lines = [$(`.judging:has([data-exchange="${exchange}"]) .thanks`), ...all(".selecting:not([hidden]) .thanks")];
    lines.forEach((line) => line && (line.textContent = problem ?? thanks));
    if (problem) return;
    remember(exchange, verdict);
    press(exchange, verdict);
  }

  function judge(button, trigger) {
    const { exchange, verdict } = button.dataset;
    const pressed = button.ariaPressed === "true";
    if (verdict === "words" && !pressed) qa.raise(trigger, "select", button);
    else trigger("like", { exchange, verdict: pressed ? "withdrawn" : verdict, reader: reader() });
  }

  /* ---- words of an article ------------------------------------------------------------------------------------------------- */

  let chosen = null; // {body, start, end, quote}: the last selection in an article

  /* Whose question it is: the one that is selected in the conversation. */
  const asked = () => $("#chat .exchange.selected[data-exchange]") ?? $("#chat .exchange[data-exchange]:only-child");

  /* An article that was opened to be selected from: a caret stands at the quote, and the arrow keys select as in any text. */
  function opened(button) {
    const body = $("#article .body");
    if (button?.dataset.verdict !== "words" || !body) return;
    offer(body);
    Object.assign(body, { contentEditable: "true", spellcheck: false, inputMode: "none" });
    for (const [name, value] of Object.entries({ role: "textbox", "aria-readonly": "true", "aria-multiline": "true" })) body.setAttribute(name, value);
    body.ariaLabel = "The article: select the words that answer, and press Enter";
    body.addEventListener("beforeinput", (input) => input.preventDefault());
    body.focus({ preventScroll: true });
    const text = document.createTreeWalker($("mark.quote", body) ?? body, NodeFilter.SHOW_TEXT);
    getSelection().collapse(text.nextNode(), 0);
  }

  function offer(body) {
    const strip = $(".selecting", body.closest(".reading"));
    if (!strip || !asked()) return null;
    strip.hidden = false;
    $("q", strip).textContent = $(".question", asked()).textContent;
    return strip;
  }

  function selected() {
    const selection = getSelection();
    const range = selection.rangeCount ? selection.getRangeAt(0) : null;
    const at = range?.startContainer;
    const body = (at?.nodeType === Node.TEXT_NODE ? at.parentElement : at)?.closest?.(".reading .body");
    if (!body) return; // somewhere else, as on the button: what was selected before counts
    chosen = selection.isCollapsed ? null : placed(range, body);
    if (!chosen && !body.isContentEditable) return;
    const strip = offer(body);
    if (!strip) return;
    $("button", strip).disabled = !chosen;
    $(".thanks", strip).textContent = "";
  }

  /* Where a selection stands in the article's text. Paragraphs say where they start; between them are blank lines. */
  function placed(range, body) {
    let start = null;
    let text = "";
    for (const paragraph of all("p[data-start]", body)) {
      if (!range.intersectsNode(paragraph)) continue;
      const piece = document.createRange();
      piece.selectNodeContents(paragraph);
      if (paragraph.contains(range.startContainer)) piece.setStart(range.startContainer, range.startOffset);
      if (paragraph.contains(range.endContainer)) piece.setEnd(range.endContainer, range.endOffset);
      if (piece.collapsed) continue;
      const before = document.createRange();
      before.selectNodeContents(paragraph);
      before.setEnd(piece.startContainer, piece.startOffset);
      const at = Number(paragraph.dataset.start) + length(before.toString());
      start ??= at;
      text += "\n".repeat(Math.max(at - start - length(text), 0)) + piece.toString();
    }
    const quote = text.trim();
    if (!quote) return null;
    start += length(text) - length(text.trimStart());
    return { body, start, end: start + length(quote), quote };
  }

  function words(button, trigger) {
    selected(); // the event of the latest change may still be on its way
    const strip = button.closest(".selecting");
    const exchange = asked()?.dataset.exchange;
    if (!chosen || !exchange || !strip.closest(".reading").contains(chosen.body)) return;
    const { start, end, quote } = chosen;
    trigger("like", { exchange, verdict: "words", reader: reader(), article: strip.dataset.article, start, end, quote });
  }

  document.addEventListener("selectionchange", selected);
  document.addEventListener("keydown", (key) => {
    if (key.key !== "Enter" || !key.target.matches?.(".reading .body[role=textbox]")) return;
    key.preventDefault();
    selected();
    $(".selecting button", key.target.closest(".reading")).click();
  });
  Object.assign(qa.actions, { judge, words });

  return { show, opened, judged };
})();
