// Helps while a new password is typed: ticks the rules it can judge, and shows what was typed.
// The page is complete without it; the server judges every rule itself.
"use strict";

for (const list of document.querySelectorAll("[data-rules]")) {
  const field = document.getElementById("new_password");
  const rules = [...list.querySelectorAll("li")];
  field?.addEventListener("input", () => rules.forEach((rule) => tick(rule, list, field.value)));
}

for (const field of document.querySelectorAll("input[data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet reveal";
  button.textContent = field.dataset.show;
  button.setAttribute("aria-controls", field.id);
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.textContent = shown ? field.dataset.show : field.dataset.hide;
  });
  field.form.addEventListener("submit", () => { field.type = "password"; });
  field.after(button);
}

// A rule without a check is for the server alone: what it said was about another password.
function tick(rule, list, typed) {
  const check = CHECKS[rule.dataset.check];
  const kept = typed !== "" && check !== undefined && check(typed.normalize("NFC"), rule.dataset);
  rule.classList.toggle("kept", kept);
  rule.classList.remove("broken");
  rule.querySelector("[data-verdict]").textContent = kept ? ` (${list.dataset.kept})` : "";
}

const CHECKS = {
  length: (typed, { least, most }) => {
    const length = [...typed].length;
    return length >= Number(least) && length <= Number(most);
  },
  classes: (typed, { least }) => {
    const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\p{N}/u, /[^\p{Lu}\p{Ll}\p{N}]/u];
    return kinds.filter((kind) => kind.test(typed)).length >= Number(least);
  },
  words: (typed, { words }) => {
    const parts = fold(words).split(/[^\p{L}\p{N}]+/u).filter((part) => part.length >= 3);
    return !parts.some((part) => fold(typed).includes(part));
  },
};

function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
