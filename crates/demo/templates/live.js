// Keeps phone, tokens and mailbox fresh without losing what somebody is selecting or typing.
const parts = () => document.querySelectorAll("[data-live]");

async function refresh() {
  const selecting = !getSelection().isCollapsed;
  if (document.hidden || selecting) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (next && next.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
      part.replaceChildren(...next.childNodes);
    }
  }
}

setInterval(() => refresh().catch(() => {}), 1000);
