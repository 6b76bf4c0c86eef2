// How a person reads a page: the same rules as `testkit/src/memory/page.rs`.
const INLINE = ["a", "b", "code", "em", "i", "small", "span", "strong", "sub", "time"];
const UNREAD = ["head", "noscript", "script", "style", "svg", "template"];

const plain = (text) =>
  text.replace(/\u2019/g, "'").replace(/[\u00a0\u202f\u2009]/g, " ").split(/\s+/).filter(Boolean).join(" ");

function walk(element, pieces) {
  const name = element.localName;
  if (UNREAD.includes(name) || !(element === document.documentElement || element.checkVisibility())) return;
  const inline = INLINE.includes(name);
  const closed = name === "details" && !element.open;
  if (!inline) pieces.push(" ");
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      if (!closed) pieces.push(child.data);
    } else if (child.nodeType === Node.ELEMENT_NODE && (!closed || child.localName === "summary")) {
      walk(child, pieces);
    }
  }
  if (!inline) pieces.push(" ");
}

function read(element) {
  const pieces = [];
  walk(element, pieces);
  return plain(pieces.join(""));
}

// The one whose text is, or begins with, what was said; inside the main part first.
function best(all, said, reads) {
  said = plain(said);
  let found = null;
  let rank = 4;
  for (const element of all) {
    const text = reads(element);
    const begins = text.startsWith(said) && !/^[\p{L}\p{N}]/u.test(text.slice(said.length));
    if (text !== said && !begins) continue;
    const now = (text === said ? 0 : 2) + (element.closest("main") ? 0 : 1);
    if (now < rank) [found, rank] = [element, now];
  }
  return found;
}

function field(label) {
  const found = best(document.querySelectorAll("label"), label, read);
  if (found) return found.control;
  const labelled = document.querySelectorAll("input[aria-label], textarea[aria-label], select[aria-label]");
  return best(labelled, label, (one) => plain(one.getAttribute("aria-label")));
}

function clickable(text) {
  return best(document.querySelectorAll("button, a[href], summary, input[type=submit]"), text, read);
}

function link(beginning) {
  const found = [...document.querySelectorAll("a[href]")].find((one) => one.getAttribute("href").startsWith(beginning));
  return found ? found.getAttribute("href") : null;
}

// From now on `window.leaving` says whether this document was told to make place for another one. The other one
// has no such word.
function watchLeaving() {
  window.leaving = false;
  const tells = (event) => {
    const link = event.type === "click" ? event.target.closest("a[href]") : null;
    if (event.defaultPrevented || (event.type === "click" && !leadsAway(link))) return;
    window.leaving = true;
  };
  window.addEventListener("submit", tells, { once: true });
  window.addEventListener("click", tells, { once: true });
}

function leadsAway(link) {
  if (!link || link.target || link.hasAttribute("download") || !link.protocol.startsWith("http")) return false;
  const [here, there] = [location.href.split("#")[0], link.href.split("#")[0]];
  return here !== there || !link.href.includes("#");
}

// Resolved when the page is painted at the width that it has now.
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))));
}

function form() {
  const found = document.querySelector("main form") || document.querySelector("form");
  if (!found) return null;
  // The attribute: a field named `action` hides the property.
  const action = new URL(found.getAttribute("action") || "", document.baseURI).href;
  return [action, [...new FormData(found).entries()]];
}
